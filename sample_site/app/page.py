"""The data of the landing page: a real prediction, the stations, the newest posts."""

from typing import Any

from lib.posts import newest_first
from lib.stations import REGIONS, find_station
from lib.tides import SAMPLE_DAY, chart

from pybuild import Context

DESCRIPTION = (
    "Measured and predicted water levels over HTTP: one request, no SDK, every value with its quality."
)

metadata = {
    "title": {"absolute": "Tidewater: tides and water levels over HTTP"},
    "description": DESCRIPTION,
    "json_ld": {
        "@context": "https://schema.org",
        "@type": "WebAPI",
        "name": "Tidewater",
        "description": DESCRIPTION,
        "documentation": "https://tidewater.example/docs",
    },
}


def load(ctx: Context) -> dict[str, Any]:
    station = find_station("port-averil")
    assert station is not None, "the reference station is in the table"
    return {
        "station": station,
        "day": SAMPLE_DAY,
        "chart": chart(station, SAMPLE_DAY, top=4.5),
        "regions": REGIONS,
        "posts": newest_first()[:3],
    }
