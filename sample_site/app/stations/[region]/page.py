"""One stretch of coast."""

from typing import Any

from lib.stations import REGIONS, find_region, stations_in
from lib.tides import SAMPLE_DAY, chart

from pybuild import Context, not_found


def generate_static_params() -> list[dict[str, str]]:
    return [{"region": region.id} for region in REGIONS]


def generate_metadata(ctx: Context) -> dict[str, Any]:
    region = find_region(ctx.params["region"])
    return {"title": region.name, "description": region.about[ctx.site.language]} if region else {}


def load(ctx: Context) -> dict[str, Any]:
    region = find_region(ctx.params["region"])
    if region is None:
        not_found()
    stations = [(station, chart(station, SAMPLE_DAY)) for station in stations_in(region.id)]
    return {"region": region, "stations": stations, "day": SAMPLE_DAY}
