"""The stations of the site, read from `data/stations.toml`. Knows no page and no tide."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of coast; its `id` is a segment of the URL."""

    id: str
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Station:
    """One gauge."""

    id: str
    name: str
    region: str  # id
    kind: str  # "tide", or "river" where the flow matters more than the tide
    latitude: float
    longitude: float
    since: date  # of the first reading
    mean_level: float  # metres above chart datum
    about: str
    constants: dict[str, tuple[float, float]]  # constituent to amplitude (m) and phase lag (degrees)


_DATA = tomllib.loads((Path(__file__).parent.parent / "data/stations.toml").read_text(encoding="utf-8"))
REGIONS = tuple(Region(**row) for row in _DATA["regions"])
STATIONS = tuple(Station(**row) for row in _DATA["stations"])


def stations_in(region: str) -> tuple[Station, ...]:
    """The stations of a region, in the order of the file."""
    return tuple(station for station in STATIONS if station.region == region)


def find_station(id: str) -> Station | None:
    return next((station for station in STATIONS if station.id == id), None)


def find_region(id: str) -> Region | None:
    return next((region for region in REGIONS if region.id == id), None)
