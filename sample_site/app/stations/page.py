"""All stations, region by region."""

from typing import Any

from lib.stations import REGIONS, stations_in
from lib.tides import SAMPLE_DAY, extremes

from pybuild import Context

metadata = {
    "title": "Stations",
    "description": "Six gauges on three coasts: where they stand, and how far the tide moves them.",
    "alternates": {
        "types": {
            "text/csv": "/data/stations.csv",
            "application/vnd.google-earth.kml+xml": "/data/stations.kml",
        },
    },
}


def load(ctx: Context) -> dict[str, Any]:
    rows = []
    for region in REGIONS:
        stations = [(station, extremes(station, SAMPLE_DAY)) for station in stations_in(region.id)]
        rows.append((region, stations))
    return {"regions": rows, "day": SAMPLE_DAY}
