"""One station: a predicted day and the constants it was made from."""

from collections.abc import Mapping
from typing import Any

from lib.readings import last_reading
from lib.stations import find_region, find_station, stations_in
from lib.tides import SAMPLE_DAY, SPEEDS, chart

from pybuild import Context, not_found


def generate_static_params(params: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"station": station.id} for station in stations_in(params["region"])]


def generate_metadata(ctx: Context) -> dict[str, Any]:
    station = find_station(ctx.params["station"])
    return {"title": station.name, "description": station.about[ctx.site.language]} if station else {}


def load(ctx: Context) -> dict[str, Any]:
    station, region = find_station(ctx.params["station"]), find_region(ctx.params["region"])
    if station is None or region is None:
        not_found()
    constants = [(name, *values, SPEEDS[name]) for name, values in station.constants.items()]
    return {
        "station": station,
        "region": region,
        "day": SAMPLE_DAY,
        "chart": chart(station, SAMPLE_DAY),
        "constants": constants,
        "reading": last_reading(station),
    }
