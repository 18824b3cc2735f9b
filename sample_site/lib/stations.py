"""The stations of the site, read from `data/stations.toml`. Knows no page and no tide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pybuild import data


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of coast; its `id` is a segment of the URL."""

    id: str
    name: str
    about: dict[str, str]  # by language


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
    about: dict[str, str]  # by language
    constants: dict[str, tuple[float, float]]  # constituent to amplitude (m) and phase lag (degrees)


REGIONS = tuple(Region(**row) for row in data("stations")["regions"])
STATIONS = tuple(Station(**row) for row in data("stations")["stations"])


def stations_in(region: str) -> tuple[Station, ...]:
    """The stations of a region, in the order of the file."""
    return tuple(station for station in STATIONS if station.region == region)


def find_station(id: str) -> Station | None:
    return next((station for station in STATIONS if station.id == id), None)


def find_region(id: str) -> Region | None:
    return next((region for region in REGIONS if region.id == id), None)
