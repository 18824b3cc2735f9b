"""Rows of pages taken over from the last export.

Owns hits: the key of a job is what it was, its published files are what they were, and its links lead where
they led. Knows no phase. Source: docs/caching.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pybuild.cache.entries import from_value, link_value, to_value
from pybuild.cache.index import RowSet
from pybuild.cache.keys import LINKS, PARTS, Key, Keys, lifetime
from pybuild.plan import Job, Plan
from pybuild.publish import Stage
from pybuild.records import Link
from pybuild.render.documents import home_of
from pybuild.render.links import resolution
from pybuild.render.result import Rendered, link_digest, link_digests
from pybuild.render.worker import homes_of, link_map
from pybuild.source.site import Site

_FOREIGN = (ValueError, TypeError, LookupError, AttributeError)  # what reading a foreign value may raise


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a job has to run."""

    reason: str


class Pages:
    """The rows of one plan."""

    def __init__(
        self, site: Site, plan: Plan, keys: Keys, ledger: RowSet, stage: Stage, *, is_read: bool
    ) -> None:
        self._site = site
        self._plan = plan
        self._keys = keys
        self._ledger = ledger
        self._stage = stage
        self._is_read = is_read
        self._now = site.config.now.timestamp()
        self._map = link_map(site, plan.pages, plan.translations)
        self._homes = homes_of(site)
        self._links: dict[bytes, Link] = {}
        self._shared: dict[bytes, bytes] = {}  # sets of links that are complete
        self._given: set[bytes] = set()  # those of rows that were taken over
        self._standing: set[int] = set()  # jobs whose lines stand
        self.until = math.inf  # when the first row that was taken over grows too old, in seconds since 1970
        self.is_complete = True  # whether no job must run in any case

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of templates that rows share which were taken over."""
        return tuple({d: self._links[d] for shared in self._given for d in link_digests(shared)}.values())

    def take(self, index: int) -> Rendered | Refused:
        """The row of a job of the plan where it still holds."""
        job = self._plan.jobs[index]
        if self._keys.modules(job) is None:
            self.is_complete = False
            return Refused("its code says neither revalidate nor inputs, so it always runs")
        if not self._is_read:
            return Refused("the cache is not used")
        try:
            return self._read(index, job)
        except _FOREIGN:
            return Refused("what the cache holds of it cannot be read")

    def _read(self, index: int, job: Job) -> Rendered | Refused:
        value = self._ledger.get(_name(job))
        if value is None:
            return Refused("the cache holds nothing of it, or other settings or versions made it")
        key = self._keys.key(job)
        assert key is not None, "a job that does not always run has a key"
        parts, made, stored = value
        differing = _differing(parts, key)
        if differing and (differing != [LINKS] or not key.follows_links):
            return Refused(f"changed since: {', '.join(differing)}")
        life = lifetime(key.modules)
        if life < math.inf and not 0 <= self._now - made < life:
            return Refused("changed since: age")
        row = from_value(stored, self._site.config.root, self._stage.previous.rows)
        if not self._has_links(row):
            return Refused("what the cache holds of its links cannot be read")
        if differing and not self._leads_on(job, row):
            return Refused(f"changed since: {LINKS}")
        if not all(self._stage.holds(file.path, file.digest) for file in row.files):
            return Refused("its published files are gone or were changed")
        self.until = min(self.until, made + life)
        if not differing:
            self._standing.add(index)
        self._given.add(row.template_link_ids)
        return (
            replace(row, template_link_ids=self._shared[row.template_link_ids])
            if row.template_link_ids
            else row
        )

    def _has_links(self, row: Rendered) -> bool:
        """Whether all links are known that the row shares with others."""
        if row.template_link_ids not in self._shared:
            for digest in link_digests(row.template_link_ids):
                if digest not in self._links:
                    value = self._ledger.get(_link_name(digest))
                    if value is None:
                        return False
                    self._links[digest] = Link(*value)
            self._shared[row.template_link_ids] = row.template_link_ids
        return True

    def _leads_on(self, job: Job, row: Rendered) -> bool:
        """Whether every link of a page leads where it led when the page was rendered."""
        for digest in link_digests(row.template_link_ids):
            link = self._links[digest]
            if self._map.follow(link.text, job.url) != (link.target, link.fragment):
                return False
        route = self._site.routes[job.route]
        name = self._site.collection_of[job.route] if job.entry >= 0 else ""
        entry = self._site.collections[name][job.entry] if name else self._site.documents[route.markdown]
        home = home_of(entry, job.url, self._homes, route.locale)
        hrefs = row.document_hrefs.split("\n") if row.document_hrefs else ()
        return resolution(self._map.resolve(href, None, home) for href in hrefs) == row.link_digest

    def lines(self, rows: Mapping[int, Rendered]) -> Iterator[tuple[str, Any]]:
        """What to keep of all rows for the next export: None where the line stands."""
        needed = {digest for shared in self._given for digest in link_digests(shared)}
        fresh: dict[bytes, Link] = {}
        for index in rows:
            if index in self._standing:
                yield _name(self._plan.jobs[index]), None
                continue
            row = rows[index]
            fresh.update((link_digest(link), link) for link in row.template_links)
            if key := self._keys.key(self._plan.jobs[index]):
                needed.update(link_digests(row.template_link_ids))
                made = self._now if key.modules else 0
                yield _name(self._plan.jobs[index]), [key.parts, made, to_value(row, self._site.config.root)]
        for digest in sorted(needed):
            link = fresh.get(digest)
            yield _link_name(digest), link_value(link) if link else None

    @property
    def is_same(self) -> bool:
        """Whether the lines of all jobs stand."""
        return len(self._standing) == len(self._plan.jobs)

    def outlives(self) -> float:
        """When the first row of the plan grows too old, in seconds since 1970, those that are rendered now included."""
        fresh = (
            self._now + lifetime(modules)
            for index, job in enumerate(self._plan.jobs)
            if index not in self._standing and (modules := self._keys.modules(job))
        )
        return min((self.until, *fresh))


def _differing(parts: Sequence[str], key: Key) -> list[str]:
    """The names of the parts that are others than they were."""
    if tuple(parts) == key.parts:
        return []
    return [name for name, old, new in zip(PARTS, parts, key.parts, strict=True) if old != new]


def _name(job: Job) -> str:
    return f"{job.kind} {job.url}"


def _link_name(digest: bytes) -> str:
    return f"#{digest.hex()}"
