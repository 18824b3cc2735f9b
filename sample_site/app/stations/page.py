"""All stations, region by region."""

from typing import Any

from lib.stations import REGIONS, stations_in
from lib.tides import SAMPLE_DAY, extremes
from lib.words import say

from pybuild import Context

TYPES = {"text/csv": "/data/stations.csv", "application/vnd.google-earth.kml+xml": "/data/stations.kml"}


def generate_metadata(ctx: Context) -> dict[str, Any]:
    return {
        "title": say(ctx.site.language, "stations"),
        "description": say(ctx.site.language, "stations_lead"),
        "alternates": {"types": TYPES},
    }


def load(ctx: Context) -> dict[str, Any]:
    rows = []
    for region in REGIONS:
        stations = [(station, extremes(station, SAMPLE_DAY)) for station in stations_in(region.id)]
        rows.append((region, stations))
    return {"regions": rows, "day": SAMPLE_DAY}
