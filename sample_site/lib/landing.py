"""What the front pages show: a real prediction and the newest posts."""

from __future__ import annotations

from typing import Any

from lib.posts import newest_first
from lib.stations import find_station
from lib.tides import SAMPLE_DAY, chart
from pybuild import Context


def load(ctx: Context) -> dict[str, Any]:
    station = find_station("port-averil")
    assert station is not None, "the reference station is in the table"
    return {
        "station": station,
        "day": SAMPLE_DAY,
        "chart": chart(station, SAMPLE_DAY, top=4.5),
        "posts": newest_first()[:3],
    }
