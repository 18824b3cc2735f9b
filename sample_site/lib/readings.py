"""The last reading of a station. Knows no page.

Where the variable `TIDEWATER_API` names the service, it is asked; a page whose station does not answer stays as the
last export made it. Without the variable `data/readings.json` holds what the service answered on the sample day.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from lib.stations import Station
from pybuild import data, fetch


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured height in metres above chart datum."""

    time: datetime
    height: float
    quality: str  # "good" or "suspect"


def last_reading(station: Station) -> Reading:
    """Raises `FetchFailed` where the service does not answer."""
    if service := os.environ.get("TIDEWATER_API"):
        url = f"{service}/v1/stations/{station.id}/readings/latest"
        row = fetch(url, on_error="keep").json()["reading"]
    else:
        row = data("readings")[station.id]
    return Reading(datetime.fromisoformat(row["time"]), row["height"], row["quality"])
