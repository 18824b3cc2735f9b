"""`/data/stations.csv`: all stations as a table (RFC 4180), written line by line."""

import csv
import io
from collections.abc import Iterator

from lib.stations import STATIONS

from pybuild import StreamingResponse

dynamic = "force-static"
max_duration = 10

COLUMNS = ("id", "name", "region", "kind", "latitude", "longitude", "since", "mean_level")


def lines() -> Iterator[str]:
    for row in (COLUMNS, *(tuple(getattr(station, name) for name in COLUMNS) for station in STATIONS)):
        text = io.StringIO()
        csv.writer(text).writerow(row)
        yield text.getvalue()


def GET() -> StreamingResponse:
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8; header=present")
