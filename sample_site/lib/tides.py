"""Predicted tides from harmonic constants, and the drawing of a day of them.

Knows no page. A tide is a sum of cosines: each constituent turns at the speed of one of the motions
of moon and sun. Heights are metres above chart datum, times are UTC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lib.stations import Station

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE_DAY = date(2026, 6, 21)  # the day that pages draw; a page has no clock
SPEEDS = {  # degrees an hour
    "M2": 28.9841042,
    "S2": 30.0,
    "N2": 28.4397295,
    "K1": 15.0410686,
    "O1": 13.9430356,
}
STEP = timedelta(minutes=6)
STEPS = 240  # in a day


@dataclass(frozen=True, slots=True)
class Extreme:
    """A high or a low water."""

    kind: str  # "high" or "low"
    time: datetime
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A day as SVG: a line, the area below it and the extremes as points."""

    width: int
    height: int
    line: str
    area: str
    points: tuple[tuple[float, float, Extreme], ...]


def level(station: Station, when: datetime) -> float:
    """The predicted height at a moment."""
    hours = (when - EPOCH).total_seconds() / 3600
    waves = (
        amplitude * math.cos(math.radians(SPEEDS[name] * hours - lag))
        for name, (amplitude, lag) in station.constants.items()
    )
    return station.mean_level + math.fsum(waves)


def day_levels(station: Station, day: date) -> list[tuple[datetime, float]]:
    """Heights from midnight to midnight, one every six minutes, both ends included."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    times = (start + STEP * step for step in range(STEPS + 1))
    return [(time, level(station, time)) for time in times]


def extremes(station: Station, day: date) -> list[Extreme]:
    """High and low waters of a day, in order, to the nearest six minutes."""
    rows = day_levels(station, day)
    found = []
    for (_, before), (time, height), (_, after) in zip(rows, rows[1:], rows[2:], strict=False):
        if before < height >= after:
            found.append(Extreme("high", time, round(height, 2)))
        elif before > height <= after:
            found.append(Extreme("low", time, round(height, 2)))
    return found


def chart(station: Station, day: date, *, width: int = 720, height: int = 200, top: float = 6.0) -> Chart:
    """Draw a day; `top` is the height in metres at the upper edge, chart datum is the lower one."""

    def place(step: float, metres: float) -> tuple[float, float]:
        return round(step / STEPS * width, 1), round(height - metres / top * height, 1)

    rows = day_levels(station, day)
    spots = [place(step, metres) for step, (_, metres) in enumerate(rows)]
    line = "M" + " L".join(f"{x} {y}" for x, y in spots[::4])
    marks = [(*place((mark.time - rows[0][0]) / STEP, mark.height), mark) for mark in extremes(station, day)]
    return Chart(width, height, line, f"{line} L{width} {height} L0 {height} Z", tuple(marks))
