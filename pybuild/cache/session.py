"""What one export takes over from the last, and leaves for the next.

Owns the order of it: look at the site, hand out what holds, keep what was made once it is published, and only
where the site did not change meanwhile. A cache that cannot be written is no fault of the site.
Source: docs/caching.md.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pybuild.cache import fingerprint, kept_site
from pybuild.cache.fingerprint import Snapshot, digest_of, disk_clock, glance, take
from pybuild.cache.front_matter import VERSION, FrontMatterCache, kept_fronts
from pybuild.cache.index import RowSet
from pybuild.cache.keys import Keys
from pybuild.cache.pages import TEMPLATES, Pages
from pybuild.cache.up_to_date import INDEX, BuildRecord, Outcome, ValidityWindow
from pybuild.config.loader import Config
from pybuild.config.settings_file import read_file, text_digest
from pybuild.fetching import Session, asked_again
from pybuild.markdown.disk_cache import prune
from pybuild.plan import Plan
from pybuild.publish import Output, Stage
from pybuild.records import Files, Link
from pybuild.render.result import Rendered, Rows
from pybuild.render.worker import LastRows
from pybuild.site_files.variants import Parts
from pybuild.source.document import ReadFront, read_front
from pybuild.source.site import Site
from pybuild.source.site_lists import SiteLists

PARTS = "parts"
_TOGETHER = 64  # rows that are written at once


@dataclass(frozen=True, slots=True)
class Lookup:
    """The jobs of a plan, parted."""

    rows: Rows  # that are taken over
    tasks: Sequence[int]  # the jobs to run
    reasons: Mapping[int, str]  # why they run
    links: tuple[Link, ...] = ()  # that templates give to `rows`
    lists: SiteLists | None = None  # of the site, where they were made for this
    last: LastRows | None = None  # of pages among `tasks` of which only layouts changed


class NullCache:
    """Takes over nothing and keeps nothing."""

    cached = 0  # pages that were taken over
    memo: Path | None = None  # where rendered Markdown is kept

    def __init__(self) -> None:
        self.front: ReadFront = read_front
        self.parts = Parts()  # of long texts

    def unread(self) -> Sequence[str]:
        """The documents that workers may read before `front` is asked for them."""
        return ()

    def read_ahead(self, fronts: Iterable[tuple[str, bytes]]) -> None:
        """Take the front matter of documents that workers read, which `front` gives then."""

    def lookup(self, site: Site, plan: Plan, stage: Stage, fetches: Session) -> Lookup:
        return Lookup(Rows(len(plan.jobs)), range(len(plan.jobs)), {})

    def note(self, index: int, rows: Rows) -> None:
        """Write down what was made of a job, while others are still rendered."""

    def record(self, rows: Rows) -> None:
        """Write down the rest of what was made."""

    def record_outputs(self, row: Rendered) -> None:
        """Record what code of the site added to the output."""

    def commit(self, outcome: Outcome, files: Files, deployed: Collection[str]) -> None:
        """Keep what was recorded: the files were published."""

    def discard(self) -> None:
        """Drop what was recorded and not committed."""


def kept_rows(config: Config, output: Output) -> tuple[RowSet, RowSet]:
    """The rows of pages, and those of the parts of long texts, of one output."""
    header = [VERSION, fingerprint.tool(), output.key, fingerprint.page_settings_digest(config)]
    file = config.state / "cache" / INDEX
    return tuple(RowSet(file, f"{kind} {output.state.name}", header) for kind in ("pages", "texts"))  # type: ignore[return-value]


class BuildCache(NullCache):
    """The cache of one export. Precondition: the site is locked."""

    def __init__(self, config: Config, output: Output, *, is_read: bool) -> None:
        """Look at the site before anyone reads it. Without `is_read` nothing is taken over. Raises `OSError`."""
        folder = config.state / "cache"
        now = disk_clock(folder)
        super().__init__()
        self._config = config
        self._now = now
        snapshot = take(config, now)
        self._seen = snapshot.glance
        self._record = BuildRecord(config)
        self._is_read = is_read
        self._files = kept_fronts(config)
        self._rows, self._texts = kept_rows(config, output)
        memo = folder / fingerprint.markdown_folder(config)
        self.memo = memo if is_read and not memo.is_symlink() else None
        self._documents = 0
        self._snapshot: Snapshot | None = snapshot
        self._fronts: FrontMatterCache | None = FrontMatterCache(
            config, snapshot, self._files if is_read else None
        )
        self.front = self._fronts.read
        self._pages: Pages | None = None
        self._span: ValidityWindow | None = None  # of a record that may be written
        self._token = ""
        self._waiting: list[int] = []  # jobs whose rows are not written yet
        self._of_site: Iterator[tuple[str, Any]] | None = None
        self._is_steady = text_digest(read_file(config.root)[1]) == config.digest

    def unread(self) -> Sequence[str]:
        return self._fronts.unread() if self._fronts else ()

    def read_ahead(self, fronts: Iterable[tuple[str, bytes]]) -> None:
        if self._fronts:
            self._fronts.ahead.update(fronts)

    def lookup(self, site: Site, plan: Plan, stage: Stage, fetches: Session) -> Lookup:
        """Part the jobs of a plan into rows that still hold and jobs to run. What they fetched is asked for again."""
        assert self._snapshot is not None, "a plan is split before its rows are noted"
        self._note_fronts()
        self._documents = len(site.documents) + sum(map(len, site.collections.values()))
        templates = self._rows.get(TEMPLATES) if self._is_read else None
        keys = Keys(site, plan, self._snapshot, _digests(site), templates)
        pages = self._pages = Pages(site, plan, keys, self._rows, stage, is_read=self._is_read)
        pages.ask_again(fetches)
        self._fetches = fetches
        rows = Rows(len(plan.jobs))
        reasons: dict[int, str] = {}
        for index in range(len(plan.jobs)):
            found = pages.take(index)
            if isinstance(found, Rendered):
                self.cached += found.page is not None
                rows.add(index, found)
            else:
                reasons[index] = found.reason
                if last := pages.last(index):
                    rows.stand_ins[index] = last
        last = self._texts.get(PARTS) if self._is_read else None
        self.parts = Parts(last if isinstance(last, dict) else {})
        self._texts.close()
        keys.release_snapshot()
        self._rows.close()  # workers are forked from here
        self._snapshot = None
        asks = any(route.providers for route in site.routes)
        own = site.extensions  # may add files of what it does not name
        adds = own is not None and "outputs" in own.names and "inputs" not in own.settings
        self._is_repeatable = pages.is_complete and not asks and not adds
        self._is_suited = self._is_repeatable and kept_site.is_suited(site) and not self._includes
        return Lookup(rows, list(reasons), reasons, pages.links, keys.lists, pages.relaid_rows)

    def note(self, index: int, rows: Rows) -> None:
        """Write down a row while others are rendered, and with each a part of what is known of the site."""
        pages = self._pages
        assert pages is not None, "rows belong to a plan that was split"
        self._waiting.append(index)
        if (
            len(self._waiting) < _TOGETHER or pages.relaid
        ):  # of which workers read the rows of the last export
            return
        with contextlib.suppress(OSError):
            of_site = self._unwritten(pages)
            if self._rows.is_writing:
                lines = chain.from_iterable(pages.line(index, rows) for index in sorted(self._waiting))
                self._rows.add(chain(lines, islice(of_site, _TOGETHER)))
        self._waiting.clear()

    def _unwritten(self, pages: Pages) -> Iterator[tuple[str, Any]]:
        """What is left to be written of what is known of the site; the first call opens the index."""
        if self._of_site is None:
            self._token = os.urandom(8).hex() if self._is_suited else ""
            self._of_site = pages.site_lines(self._token)
            self._rows.begin()
        return self._of_site

    def record(self, rows: Rows) -> None:
        """Write down the rest of what was made of the plan, for `commit`, and let go of what was needed for that."""
        pages = self._pages
        assert pages is not None, "rows belong to a plan that was split"
        with contextlib.suppress(OSError):
            if pages.is_same:
                self._token = kept_site.token_of(self._rows)
                self._rows.close()
            else:
                self._rows.add(chain(self._unwritten(pages), pages.rest(rows)))
                self._rows.remove_others()
        if self._is_repeatable and not rows.stand_ins:
            first, due = self._moments
            until = min(pages.outlives(), due, asked_again(self._fetches, pages.fetched))
            self._span = ValidityWindow(first, until) if until > self._config.now.timestamp() else None
        self._pages = self._of_site = None

    def record_outputs(self, row: Rendered) -> None:
        """Write down what code of the site fetched for the files that it added after `record`."""
        if self._span and row.fetched:
            until = min(self._span.until, asked_again(self._fetches, (key for key, _ in row.fetched)))
            is_ahead = until > self._config.now.timestamp()
            self._span = ValidityWindow(self._span.first, until) if is_ahead else None

    def _note_fronts(self) -> None:
        """Write down the front matter that was read."""
        assert self._fronts is not None, "a plan is split once"
        with contextlib.suppress(OSError):
            if not self._fronts.is_same:
                self._files.write(self._fronts.lines())
                self._files.keep()  # it holds for the stamps of its files, whatever becomes of this export
        self._moments, self._includes = (self._fronts.last, self._fronts.due), self._fronts.may_include
        self._fronts, self.front = None, read_front
        self._files.close()

    def commit(self, outcome: Outcome, files: Files, deployed: Collection[str]) -> None:
        """Keep what was noted of an export that is published, unless the site changed meanwhile."""
        with contextlib.suppress(OSError):
            if not self._is_steady or glance(self._config, self._now) != self._seen:
                return
            self._rows.keep()
            self._keep_parts(files)
            self._forget()
            if self._span:
                self._record.write(outcome, self._span, self._seen, self._token, (files, deployed))

    def _keep_parts(self, files: Files) -> None:
        """Keep of what the parts of long texts were made. Raises `OSError`."""
        made = {
            name: [key, count, files[path].digest if path else ""]
            for name, (key, count, path) in self.parts.made.items()
            if not path or path in files
        }
        if made != self.parts.last:
            pages = ((f"pages {name}", self.parts.pages.get(name)) for name in made)
            self._texts.write(chain([(PARTS, made)], pages))
            self._texts.keep()

    def _forget(self) -> None:
        """Remove Markdown that other settings or versions rendered, and what is old of ours."""
        if self.memo is None or not self.memo.is_dir():
            return
        for folder in self.memo.parent.glob("markdown-*"):
            if folder != self.memo:
                shutil.rmtree(folder, ignore_errors=True)
        prune(self.memo, self._documents)

    def discard(self) -> None:
        """Remove what was noted and not kept."""
        self._files.close()
        self._rows.close()
        self._texts.close()


def _digests(site: Site) -> Callable[[str], str]:
    """The digest of a file of the site, from its document where it is one."""

    @cache
    def known() -> dict[str, str]:
        return {entry.file: entry.digest for entry in site.entries}

    return lambda file: known().get(file) or digest_of(site.config.root / file)
