"""Rows of pages taken over from the last export.

Owns hits: the key of a job is what it was, its published files are what they were, and its links lead where
they led. Knows no phase. Source: docs/caching.md.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pybuild.cache import kept_site
from pybuild.cache.index import FOREIGN, RowSet
from pybuild.cache.keys import LINKS, PARTS, Key, Keys, lifetime
from pybuild.cache.keys import TEMPLATES as CHANGED_TEMPLATES
from pybuild.fetching import Session, holding
from pybuild.plan import Job, Plan
from pybuild.publish import Stage
from pybuild.records import Link
from pybuild.render.documents import home_of
from pybuild.render.links import resolution
from pybuild.render.pictures import Sizes
from pybuild.render.result import LINK, ROW, Rendered, link_number, link_numbers, to_value
from pybuild.render.worker import homes_of, link_map
from pybuild.routing.module_facts import ModuleFacts
from pybuild.source.site import Site

TEMPLATES = "templates"  # the line of what the templates do
_KEEPING = "keeping"  # the line of the jobs whose rows stay where a source is down
_PARTS_OF_LINKS = 256  # rows that hold the links of templates


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
        self._links = SharedLinks(ledger)
        self._sizes = Sizes(site.config.root, by_content=bool(site.config.settings.images.widths))
        self._shared: dict[bytes, bytes] = {}  # sets of links that are complete
        self._used: set[int] = set()  # links of rows that were taken over
        self._unchanged: set[int] = set()  # jobs whose lines are kept as they are
        self._noted = bytearray(len(plan.jobs))  # 1 for jobs whose lines were given
        self._needed: set[int] = set()  # links of rows whose lines were given
        self._fresh: dict[int, Link] = {}  # of them those that were rendered now
        self._kept: list[str] = []  # as `_KEEPING`, for the next export
        self._held: frozenset[tuple[str, str]] = frozenset()  # what was fetched and is still the same
        names = ledger.get(_KEEPING) if is_read else None
        self._keeping = frozenset(map(str, names)) if isinstance(names, list) else frozenset()
        self.relaid: dict[int, int] = {}  # jobs of which only layouts changed, and how many of them did not
        self.fetched: set[str] = set()  # keys of what the rows depend on
        self.until = math.inf  # when the first row that was taken over grows too old, in seconds since 1970
        self.is_complete = True  # whether no job must run in any case

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of templates that rows share which were taken over."""
        return tuple(self._links[number] for number in sorted(self._used))

    def ask_again(self, session: Session) -> None:
        """Ask for what the jobs fetched whose modules name their inputs, all at once."""
        calls: set[tuple[str, str]] = set()
        fetching = {
            (job.route, job.kind)
            for job in {(job.route, job.kind): job for job in self._plan.jobs}.values()
            if _names_inputs(self._keys.modules(job))
        }
        for job in self._plan.jobs if self._is_read and fetching else ():
            if (job.route, job.kind) in fetching and (value := self._ledger.get(_name(job))):
                with contextlib.suppress(*FOREIGN):
                    calls.update((str(key), str(digest)) for key, digest in value[-1][-1])
        self._held = holding(session, sorted(calls))

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
        except FOREIGN:
            return Refused("what the cache holds of it cannot be read")

    def _read(self, index: int, job: Job) -> Rendered | Refused:
        value = self._ledger.get(_name(job))
        if value is None:
            return Refused("the cache holds nothing of it, or other settings or versions made it")
        parts, made, shown, inner, stored = value
        shows_the_same = shown == self._keys.shown_by_all
        key = self._keys.key(job, parts if shows_the_same else ())
        assert key is not None, "a job that does not always run has a key"
        differing = _differing(parts, key)
        if differing == [CHANGED_TEMPLATES]:
            self._note_relaid(index, inner, key)
        if differing and (differing != [LINKS] or not key.follows_links):
            return Refused(f"changed since: {', '.join(differing)}")
        life = lifetime(key.modules)
        if life < math.inf and not 0 <= self._now - made < life:
            return Refused("changed since: age")
        row = ROW.read(stored)
        if row.fetched and _names_inputs(key.modules):
            if not self._held.issuperset(row.fetched):
                return Refused("changed since: what it fetched")
            self.fetched.update(name for name, _ in row.fetched)
        if not self._links.has(row.template_link_ids):
            return Refused("what the cache holds of its links cannot be read")
        if differing and not self._leads_on(job, row):
            return Refused(f"changed since: {LINKS}")
        if not all(self._stage.holds(file.path, file.digest) for file in row.files):
            return Refused("its published files are gone or were changed")
        if not self._sizes.hold(row.pictures):
            return Refused("changed since: pictures")
        self.until = min(self.until, made + life)
        if shows_the_same and not differing:
            self._unchanged.add(index)
        shared = self._shared.setdefault(row.template_link_ids, row.template_link_ids)
        if shared is row.template_link_ids:
            self._used.update(link_numbers(shared))
            return row
        return replace(row, template_link_ids=shared)  # held once

    def _note_relaid(self, index: int, inner: Sequence[str], key: Key) -> None:
        """Note how many of a page's innermost layouts are what they were, where the template inside them is."""
        same = [count for count, pair in enumerate(zip(inner, key.inner, strict=False)) if pair[0] == pair[1]]
        if same:
            self.relaid[index] = max(same)

    @property
    def relaid_rows(self) -> RelaidRows | None:
        """The rows of the pages of which only layouts changed."""
        names = {index: _name(self._plan.jobs[index]) for index in self.relaid}
        return RelaidRows(self._ledger.again(), names, self.relaid) if names else None

    def last(self, index: int) -> Rendered | None:
        """What the last export made of a job that has to run, where its code says that this stays if a source is down."""
        name = _name(self._plan.jobs[index])
        if name not in self._keeping:
            return None
        with contextlib.suppress(*FOREIGN):
            *_, stored = self._ledger.get(name)
            row = ROW.read(stored)
            is_there = all(self._stage.holds(file.path, file.digest) for file in row.files)
            if is_there and self._links.has(row.template_link_ids):
                links = (self._links[number] for number in link_numbers(row.template_link_ids))
                return replace(row, template_links=tuple(links))
        return None

    def _leads_on(self, job: Job, row: Rendered) -> bool:
        """Whether every link of a page leads where it led when the page was rendered."""
        for number in link_numbers(row.template_link_ids):
            link = self._links[number]
            if self._map.led_to(link.text, job.url, named=link.named) != (link.target, link.fragment):
                return False
        route = self._site.routes[job.route]
        name = self._site.collection_of[job.route] if job.entry >= 0 else ""
        entry = self._site.collections[name][job.entry] if name else self._site.documents[route.markdown]
        home = home_of(entry, job.url, self._homes, route.locale)
        hrefs = row.document_hrefs.split("\n") if row.document_hrefs else ()
        return resolution(self._map.resolve(href, None, home) for href in hrefs) == row.link_digest

    def line(self, index: int, rows: Mapping[int, Rendered]) -> Iterator[tuple[str, Any]]:
        """What to keep of a row for the next export: None where the kept line holds; nothing where no export may have it."""
        name = _name(self._plan.jobs[index])
        self._noted[index] = 1
        if index in self._unchanged:
            self._kept += [name] if name in self._keeping else ()
            yield name, None
            return
        row = rows[index]
        self._fresh.update((link_number(link), link) for link in row.template_links)
        key = self._keys.key(self._plan.jobs[index])
        self._kept += [name] if row.keeps else ()
        if key or row.keeps:
            self._needed.update(link_numbers(row.template_link_ids))
            yield name, None if row.is_last else self._line(row, key)

    def rest(self, rows: Mapping[int, Rendered]) -> Iterator[tuple[str, Any]]:
        """What to keep of the rows of which `line` was not asked yet, and of all together."""
        for index in rows:
            if not self._noted[index]:
                yield from self.line(index, rows)
        yield TEMPLATES, self._keys.templates
        if self._kept:
            yield _KEEPING, self._kept
        yield from self._links.rows(self._used | self._needed, self._fresh)

    def site_lines(self, token: str) -> Iterator[tuple[str, Any]]:
        """What an edit of texts needs to know of the site."""
        return kept_site.lines(self._site, self._plan, self._keys, token) if token else iter(())

    def _line(self, row: Rendered, key: Key | None) -> list[Any]:
        """What to keep of a row; one without a key is never taken over, but may stay where a source is down."""
        modules = key.modules if key else ()
        if _names_inputs(modules):
            self.fetched.update(name for name, _ in row.fetched)
        made, shown = self._now if modules else 0, self._keys.shown_by_all
        inner = key.inner if key and row.places else ()
        return [key.parts if key else (), made, shown, inner, to_value(row)]

    @property
    def is_same(self) -> bool:
        """Whether the lines of all jobs are kept as they are."""
        return len(self._unchanged) == len(self._plan.jobs)

    def outlives(self) -> float:
        """When the first row of the plan grows too old, in seconds since 1970, those that are rendered now included."""
        fresh = (
            self._now + lifetime(modules)
            for index, job in enumerate(self._plan.jobs)
            if index not in self._unchanged and (modules := self._keys.modules(job))
        )
        return min((self.until, *fresh))


@dataclass(frozen=True, slots=True)
class RelaidRows:
    """The rows of pages of which only layouts changed, as a worker reads them. See `render.worker.LastRows`."""

    ledger: RowSet
    names: Mapping[int, str]  # by job
    counts: Mapping[int, int]  # of layouts that did not change

    def open(self) -> Callable[[int], tuple[Rendered, int] | None]:
        """Read the rows from the file, each when it is asked for."""
        ledger = self.ledger.again()

        def last(index: int) -> tuple[Rendered, int] | None:
            with contextlib.suppress(*FOREIGN):
                if index in self.counts:
                    *_, stored = ledger.get(self.names[index])
                    return ROW.read(stored), self.counts[index]
            return None

        return last


def _names_inputs(modules: Iterable[ModuleFacts] | None) -> bool:
    """Whether a module says what it reads, so that what it fetched must be the same too."""
    return any("inputs" in module.settings for module in modules or ())


def _differing(parts: Sequence[str], key: Key) -> list[str]:
    """The names of the parts that are others than they were."""
    if tuple(parts) == key.parts:
        return []
    return [name for name, old, new in zip(PARTS, parts, key.parts, strict=True) if old != new]


def _name(job: Job) -> str:
    return f"{job.kind} {job.url}"


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """The links that templates give to pages, by their numbers, in rows of some each."""

    ledger: RowSet
    known: dict[int, Link] = field(default_factory=dict)
    read: dict[int, frozenset[int]] = field(default_factory=dict)  # the numbers in each row that was read

    def has(self, shared: bytes) -> bool:
        """Whether all links are known that a row shares with others."""
        numbers = link_numbers(shared)
        missing = {number % _PARTS_OF_LINKS for number in set(numbers).difference(self.known)}
        for part in missing - self.read.keys():
            found = {number: LINK.read(value) for number, *value in self.ledger.get(f"#{part}") or ()}
            self.read[part] = frozenset(found)
            self.known.update(found)
        return not missing or all(number in self.known for number in numbers)

    def __getitem__(self, number: int) -> Link:
        return self.known[number]

    def rows(self, needed: Iterable[int], fresh: Mapping[int, Link]) -> Iterator[tuple[str, Any]]:
        """What to keep of the links that are needed: None where a row holds just these."""
        parts: dict[int, list[int]] = {}
        for number in sorted(needed):
            parts.setdefault(number % _PARTS_OF_LINKS, []).append(number)
        for part, numbers in parts.items():
            links = ((number, self.known.get(number) or fresh.get(number)) for number in numbers)
            is_same = self.read.get(part) == frozenset(numbers)
            yield f"#{part}", None if is_same else [[n, *LINK.write(link)] for n, link in links if link]
