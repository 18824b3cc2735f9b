"""What one export takes over from the last, and leaves for the next.

Owns the order of it: look at the site, hand out what holds, keep what was made once it is published, and only
where the site did not change meanwhile. A cache that cannot be written is no fault of the site.
Source: docs/caching.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pybuild.artifact import File
from pybuild.cache import circumstances
from pybuild.cache.fronts import Fronts
from pybuild.cache.keys import Keys
from pybuild.cache.ledger import Ledger
from pybuild.cache.pages import Kept, Pages, Refused
from pybuild.cache.record import Outcome, Record, Span
from pybuild.cache.snapshot import digest_of, disk_clock, take
from pybuild.config import Config, text_digest
from pybuild.content import ReadFront, read_front
from pybuild.plan import Plan
from pybuild.publish import Output, Stage
from pybuild.render.rendered import Rendered
from pybuild.settingsfile import read_file
from pybuild.site import Site

VERSION = 1


@dataclass(frozen=True, slots=True)
class Split:
    """The jobs of a plan, parted."""

    rows: Mapping[int, Rendered]  # that are taken over, by the index of the job
    tasks: Sequence[int]  # the jobs to run
    reasons: Mapping[int, str]  # why they run


class NoMemory:
    """Takes over nothing and keeps nothing."""

    cached = 0  # pages that were taken over

    def __init__(self) -> None:
        self.front: ReadFront = read_front

    def split(self, site: Site, plan: Plan, stage: Stage) -> Split:
        return Split({}, range(len(plan.jobs)), {})

    def note(self, rows: Mapping[int, Rendered]) -> None:
        """Hear what was rendered."""

    def keep(self, outcome: Outcome, files: Sequence[File], deployed: Sequence[File]) -> None:
        """Hear that it was published."""


class Memory(NoMemory):
    """The cache of one export. Precondition: the site is locked."""

    def __init__(self, config: Config, output: Output, *, is_read: bool) -> None:
        """Look at the site before anyone reads it. Without `is_read` nothing is taken over. Raises `OSError`."""
        folder = config.state / "cache"
        now = disk_clock(folder)
        super().__init__()
        self._config = config
        self._now = now
        self._snapshot = take(config, now)
        self._record = Record(config, self._snapshot)
        self._is_read = is_read
        versions = [VERSION, circumstances.tool()]
        self._files = Ledger(folder / "files", versions)
        self._rows = Ledger(
            folder / f"pages-{output.state.name}", [*versions, output.key, circumstances.of_pages(config)]
        )
        self._fronts = Fronts(config, self._snapshot, self._files if is_read else None)
        self.front = self._fronts.read
        self._pages: Pages | None = None
        self._kept: dict[int, Kept] = {}
        self._is_repeatable = False
        self._is_steady = text_digest(read_file(config.root)[1]) == config.digest

    def split(self, site: Site, plan: Plan, stage: Stage) -> Split:
        """Part the jobs of a plan into rows that still hold and jobs to run."""
        entries = (*(e for of in site.collections.values() for e in of), *site.documents.values())
        digests = {entry.file: entry.digest for entry in entries}
        root = self._config.root
        keys = Keys(site, plan, self._snapshot, lambda file: digests.get(file) or digest_of(root / file))
        pages = self._pages = Pages(site, plan, keys, self._rows)
        refused = Refused("the cache is not used")
        found = [pages.take(i, stage) if self._is_read else refused for i in range(len(plan.jobs))]
        self._kept = {index: one for index, one in enumerate(found) if isinstance(one, Kept)}
        self.cached = sum(one.row.page is not None for one in self._kept.values())
        reasons = {index: one.reason for index, one in enumerate(found) if isinstance(one, Refused)}
        self._is_repeatable = pages.is_complete and not any(route.providers for route in site.routes)
        return Split(pages.with_links(self._kept), list(reasons), reasons)

    def note(self, rows: Mapping[int, Rendered]) -> None:
        """Write down what was made of the plan, for `keep`."""
        assert self._pages is not None, "rows belong to a plan that was split"
        with contextlib.suppress(OSError):
            if not self._fronts.is_same:
                self._files.write(self._fronts.lines())
            if len(self._kept) < len(rows) or any(found.is_moved for found in self._kept.values()):
                self._rows.write(self._pages.lines(rows, self._kept))

    def keep(self, outcome: Outcome, files: Sequence[File], deployed: Sequence[File]) -> None:
        """Keep what was noted of an export that is published, unless the site changed meanwhile."""
        with contextlib.suppress(OSError):
            now = take(self._config, self._now)
            if not self._is_steady or (now.digest, now.fresh) != (
                self._snapshot.digest,
                self._snapshot.fresh,
            ):
                self._files.drop()
                self._rows.drop()
                return
            self._files.keep()
            self._rows.keep()
            if self._is_repeatable:
                until = self._pages.until(self._kept) if self._pages else 0
                span = Span(self._fronts.last, min(until, self._fronts.due))
                self._record.write(outcome, span, [[f.path for f in made] for made in (files, deployed)])
