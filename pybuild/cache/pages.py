"""Rows of pages taken over from the last export.

Owns hits: the key of a job is what it was, its published files are what they were, and its links lead where
they led. Knows no phase. Source: docs/caching.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pybuild.artifact import Link
from pybuild.cache.keys import LINKS, PARTS, Key, Keys, lifetime
from pybuild.cache.ledger import Ledger
from pybuild.cache.rows import from_value, link_value, to_value
from pybuild.plan import Job, Plan
from pybuild.publish import Stage
from pybuild.render.library import home_of
from pybuild.render.links import LinkMap, resolution
from pybuild.render.pagelinks import link_digest
from pybuild.render.rendered import LINK_DIGEST, Rendered
from pybuild.render.worker import homes_of
from pybuild.site import Site

_FOREIGN = (ValueError, TypeError, LookupError, AttributeError)  # what reading a foreign value may raise


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that still holds."""

    row: Rendered
    is_moved: bool  # the site's links are others, and those of the page lead where they led
    until: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a job has to run."""

    reason: str


class Pages:
    """The rows of one plan."""

    def __init__(self, site: Site, plan: Plan, keys: Keys, ledger: Ledger) -> None:
        self._site = site
        self._plan = plan
        self._ledger = ledger
        self._now = site.config.now.timestamp()
        self._keys: list[Key | None] = [keys.key(job) for job in plan.jobs]
        self._map = LinkMap(site.config, site.files, plan.pages)
        self._homes = homes_of(site)
        self._links: dict[bytes, Link] = {}
        self._known: set[bytes] = set()  # sets of links that are complete

    @property
    def is_complete(self) -> bool:
        """Whether no job of the plan must run in any case."""
        return all(self._keys)

    def until(self, kept: Mapping[int, Kept]) -> float:
        """When the first row of the plan grows too old, in seconds since 1970."""
        fresh = (
            self._now + lifetime(key.modules) for i, key in enumerate(self._keys) if key and i not in kept
        )
        return min((*fresh, *(found.until for found in kept.values())), default=math.inf)

    def take(self, index: int, stage: Stage) -> Kept | Refused:
        """The row of a job of the plan where it still holds."""
        job, key = self._plan.jobs[index], self._keys[index]
        if key is None:
            return Refused("its code says neither revalidate nor inputs, so it always runs")
        try:
            found = self._read(job, key)
        except _FOREIGN:
            return Refused("what the cache holds of it cannot be read")
        if isinstance(found, Kept) and not all(stage.keep(f.path, f.digest) for f in found.row.files):
            return Refused("its published files are gone or were changed")
        return found

    def _read(self, job: Job, key: Key) -> Kept | Refused:
        value = self._ledger.get(_name(job))
        if value is None:
            return Refused("the cache holds nothing of it, or other settings or versions made it")
        parts, made, stored = value
        differing = [name for name, old, new in zip(PARTS, parts, key.parts, strict=True) if old != new]
        if differing and (differing != [LINKS] or not key.follows_links):
            return Refused(f"changed since: {', '.join(differing)}")
        life = lifetime(key.modules)
        if life < math.inf and not 0 <= self._now - made < life:
            return Refused("changed since: age")
        row = from_value(stored, self._site.config.root)
        if not self._has_links(row):
            return Refused("what the cache holds of its links cannot be read")
        if differing and not self._leads_on(job, row):
            return Refused(f"changed since: {LINKS}")
        return Kept(row, bool(differing), made + life)

    def _has_links(self, row: Rendered) -> bool:
        """Whether all links are known that the row shares with others."""
        if row.shared not in self._known:
            for digest in digests_of(row):
                if digest not in self._links:
                    value = self._ledger.get(_link_name(digest))
                    if value is None:
                        return False
                    self._links[digest] = Link(*value)
            self._known.add(row.shared)
        return True

    def _leads_on(self, job: Job, row: Rendered) -> bool:
        """Whether every link of a page leads where it led when the page was rendered."""
        for digest in digests_of(row):
            link = self._links[digest]
            if self._map.follow(link.text, job.url) != (link.target, link.fragment):
                return False
        route = self._site.routes[job.route]
        name = self._site.collection_of[job.route] if job.entry >= 0 else ""
        entry = self._site.collections[name][job.entry] if name else self._site.documents[route.markdown]
        home = home_of(entry, job.url, self._homes)
        hrefs = row.hrefs.split("\n") if row.hrefs else ()
        return resolution(self._map.resolve(href, None, home) for href in hrefs) == row.resolved

    def with_links(self, kept: Mapping[int, Kept]) -> dict[int, Rendered]:
        """The rows, the first of each set of shared links with these links."""
        told: set[bytes] = set()
        rows = {}
        for index, found in kept.items():
            row = found.row
            if row.shared and row.shared not in told:
                told.add(row.shared)
                row = replace(row, links=(*row.links, *(self._links[digest] for digest in digests_of(row))))
            rows[index] = row
        return rows

    def lines(self, rows: Mapping[int, Rendered], kept: Mapping[int, Kept]) -> Iterator[tuple[str, Any]]:
        """What to keep for the next export: None where the line stands."""
        needed: set[bytes] = set()
        fresh: dict[bytes, Link] = {}
        for index, row in rows.items():
            key, known = self._keys[index], kept.get(index)
            if known is None and row.shared:
                fresh.update((link_digest(link), link) for link in row.links)
            if key is not None:
                needed.update(digests_of(row))
                yield _name(self._plan.jobs[index]), self._line(key, row, known)
        for digest in sorted(needed):
            link = fresh.get(digest)
            yield _link_name(digest), link_value(link) if link else None

    def _line(self, key: Key, row: Rendered, known: Kept | None) -> Any:
        if known and not known.is_moved:
            return None
        made = self._now if key.modules else 0
        return [key.parts, made, to_value(known.row if known else row, self._site.config.root)]


def _name(job: Job) -> str:
    return f"{job.kind} {job.url}"


def _link_name(digest: bytes) -> str:
    return f"#{digest.hex()}"


def digests_of(row: Rendered) -> Iterator[bytes]:
    """What stands for the links that a row shares with others."""
    for start in range(0, len(row.shared), LINK_DIGEST):
        yield row.shared[start : start + LINK_DIGEST]
