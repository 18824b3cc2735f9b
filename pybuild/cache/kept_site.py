"""What is kept of a site and its plan, so that an edit of texts reads no more of it than its pages need.

Owns the rows for this and how they are parted: documents by their order, all else by a checksum of the name that is
asked for. Whatever is asked that no row answers is made of all documents. Knows no template.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, overload

from pybuild.cache.fingerprint import digest
from pybuild.cache.index import FOREIGN, RowSet
from pybuild.cache.keys import Keys
from pybuild.plain import codec_of
from pybuild.plan import JOB, Job, Plan
from pybuild.source.document import ENTRY, Entry
from pybuild.source.navigation import Navigation, Node, View
from pybuild.source.site import Site
from pybuild.source.site_lists import Section

_PARTS = 256  # rows of one kind, at most
_IN_PART = 16  # pages for which there is one
_BLOCK = 64  # documents in a row
_SITE = "site"
_NODE = codec_of(Node)


class NotKept(Exception):
    """A row is not there, or cannot be trusted."""


def _part(name: str, count: int) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % count


def is_suited(site: Site) -> bool:
    """Whether the rows of a site can say that an edit changed no more than texts."""
    config, own = site.config, site.extensions
    adds = own is not None and ("outputs" in own.names or own.is_open)
    is_here = config.engine != "dask" and not config.settings.store.url
    return len(config.languages) < 2 and not adds and is_here and config.settings.search.engine != "pagefind"


def token_of(rows: RowSet) -> str:
    """The token that the rows were kept with; "" where there are none."""
    try:
        return str(rows.get(_SITE)[0])
    except FOREIGN:
        return ""


def lines(site: Site, plan: Plan, keys: Keys, token: str) -> Iterator[tuple[str, Any]]:
    """The rows of a site of one language."""
    lists = keys.lists
    counts = {name: len(entries) for name, entries in site.collections.items()}
    sections = [[section.name, section.label, section.url] for section in lists.sections("")]
    moved = [redirection.url for redirection in plan.redirections]
    parts = min(_PARTS, 1 + len(plan.pages) // _IN_PART)
    yield _SITE, [token, parts, keys.globs, len(site.routes), counts, sections, sorted(plan.taken), moved]
    for name, entries in site.collections.items():
        for number in range(0, len(entries), _BLOCK):
            yield (
                f"entries {number // _BLOCK} {name}",
                [ENTRY.write(e) for e in entries[number : number + _BLOCK]],
            )
    yield from _parted("urls", parts, ((url, 0) for url in plan.pages))
    yield from _parted("files", parts, site.files.items())
    yield from _parted(
        "documents", parts, ((file, ENTRY.write(entry)) for file, entry in site.documents.items())
    )
    yield from _parted("jobs", parts, _jobs(plan, keys).items())
    pages = ((job.url, keys.shown_list(job)) for job in plan.jobs)
    yield from _parted(
        "lists", parts, ((url, [page.collection, page.numbers]) for url, page in pages if page)
    )
    yield from _trees(plan, keys, parts)


def _parted(kind: str, count: int, items: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    parts: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, value in items:
        parts[_part(name, count)][name] = value
    return ((f"{kind} {number}", part) for number, part in enumerate(parts))


def _jobs(plan: Plan, keys: Keys) -> dict[str, list[Any]]:
    """The jobs that show the text of a document, by its file."""
    found: dict[str, list[Any]] = {}
    for job in plan.jobs:
        for entry in keys.shown_documents(job):
            found.setdefault(entry.file, []).append(JOB.write(job))
    return found


def _trees(plan: Plan, keys: Keys, parts: int) -> Iterator[tuple[str, Any]]:
    """What pages show of the tree around them, and each view of the tree once."""
    around: list[tuple[str, Any]] = []
    views: dict[str, View] = {}
    written: dict[int, Any] = {}  # by the identity of nodes, which the trees hold

    def shallow(node: Node | None) -> Any:
        """A node as what is before, behind and above a page shows it; each is so of many pages."""
        if node and id(node) not in written:
            written[id(node)] = _NODE.write(replace(node, children=()))
        return written[id(node)] if node else None

    for job in plan.jobs:
        if name := keys.shown_tree(job):
            tree = keys.lists.navigation(name)
            view = tree.view(job.url)
            known = digest(view.digest, *sorted(view.open))
            views.setdefault(known, view)
            near, above = map(shallow, tree.neighbours(job.url)), map(shallow, tree.parents(job.url))
            around.append((job.url, [list(near), list(above), known]))
    yield from _parted("around", parts, around)
    for known, view in views.items():
        yield f"view {known}", [list(map(_NODE.write, view.nodes)), sorted(view.open), view.digest]


@dataclass(slots=True)
class _Rows:
    """The rows of one site, each read when it is asked for."""

    rows: RowSet
    parts: int = 1  # of each kind
    known: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value of a row. Raises `NotKept`."""
        if name not in self.known:
            value = self.rows.get(name)
            if value is None:
                raise NotKept(name)
            self.known[name] = value
        return self.known[name]

    def part(self, kind: str, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.get(self.name_of(kind, name))
        return found

    def name_of(self, kind: str, name: str) -> str:
        """The name of the row that a value is in."""
        return f"{kind} {_part(name, self.parts)}"


class _Parted(Mapping[str, Any]):
    """Values by name."""

    def __init__(self, rows: _Rows, kind: str, read: Callable[[Any], Any] = lambda value: value) -> None:
        self._rows, self._kind, self._read = rows, kind, read

    def __getitem__(self, name: str) -> Any:
        return self._read(self._rows.part(self._kind, name)[name])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._rows.part(self._kind, name)

    def __iter__(self) -> Iterator[str]:
        for number in range(self._rows.parts):
            yield from self._rows.get(f"{self._kind} {number}")

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Names(Set[str]):
    """The names of such values."""

    def __init__(self, parted: _Parted) -> None:
        self._parted = parted

    def __contains__(self, name: object) -> bool:
        return name in self._parted

    def __iter__(self) -> Iterator[str]:
        return iter(self._parted)

    def __len__(self) -> int:
        return len(self._parted)


class _Entries(Sequence[Entry]):
    """The documents of a collection; those that changed since are in `changed`, by their places."""

    def __init__(self, rows: _Rows, name: str, count: int) -> None:
        self._rows, self._name, self._count = rows, name, count
        self.changed: dict[int, Entry] = {}

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[place] for place in range(self._count)[index]]
        place = range(self._count)[index]
        if place in self.changed:
            return self.changed[place]
        return ENTRY.read(self.row(place)[1][place % _BLOCK])

    def row(self, place: int) -> tuple[str, list[Any]]:
        """The row of a document: its name and value."""
        name = f"entries {place // _BLOCK} {self._name}"
        return name, self._rows.get(name)

    def __len__(self) -> int:
        return self._count


class _Tree(Navigation):
    """A tree of which is known what is around each page; asked for more, it is made of all documents."""

    def __init__(self, rows: _Rows, make: Callable[[], Navigation]) -> None:
        self._rows, self._make = rows, make

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__.update(self._make().__dict__)
        return self.__dict__[name]

    def _around(self, url: str) -> Any:
        return self._rows.part("around", url).get(url)

    def neighbours(self, url: str) -> tuple[Node | None, Node | None]:
        known = self._around(url)
        if not known:
            return super().neighbours(url)
        before, behind = (value and _NODE.read(value) for value in known[0])
        return before, behind

    def parents(self, url: str) -> tuple[Node, ...]:
        known = self._around(url)
        return tuple(map(_NODE.read, known[1])) if known else super().parents(url)

    def view(self, url: str) -> View:
        known = self._around(url)
        if not known:
            return super().view(url)
        nodes, opened, said = self._rows.get(f"view {known[2]}")
        return View(tuple(map(_NODE.read, nodes)), frozenset(opened), said)


class KeptSite:
    """A site as it was kept. See `source.site.Kept`. Raises `NotKept` wherever a row is asked for that is not there."""

    def __init__(self, rows: RowSet) -> None:
        self._all = _Rows(rows)
        try:
            self.token, self._all.parts, globs, self.routes, self._counts, sections, taken, moved = (
                self._all.get(_SITE)
            )
            self.taken = frozenset(map(str, taken))
            self.redirected = tuple(map(str, moved))
            self.globs = [tuple(map(str, some)) for some in globs]
            self.sections = {"": tuple(Section(*section) for section in sections)}
        except FOREIGN as fault:
            raise NotKept(_SITE) from fault
        self.files: Mapping[str, str] = _Parted(self._all, "files")
        self.documents: Mapping[str, Entry] = _Parted(self._all, "documents", ENTRY.read)
        self._entries: dict[str, _Entries] = {}
        self.changed: dict[str, Entry] = {}  # documents of pages that changed since

    @cached_property
    def pages(self) -> Set[str]:
        """The decoded URLs of all pages."""
        return _Names(_Parted(self._all, "urls"))

    def entries(self, name: str) -> _Entries:
        """The documents of a collection."""
        if name not in self._entries:
            self._entries[name] = _Entries(self._all, name, self._counts[name])
        return self._entries[name]

    def navigation(self, name: str, make: Callable[[], Navigation]) -> Navigation:
        """The tree of a collection."""
        return _Tree(self._all, make)

    def jobs(self, file: str) -> list[Job]:
        """The jobs that show the text of a document."""
        return list(map(JOB.read, self._all.part("jobs", file).get(file, ())))

    def listed(self, url: str) -> Iterator[Entry]:
        """The documents of the list that a page shows."""
        name, numbers = self._all.part("lists", url).get(url, ("", ()))
        return (self.entries(name)[number] for number in numbers)

    def updates(self) -> Iterator[tuple[str, Any]]:
        """The rows of documents that changed since."""
        for entries in self._entries.values():
            for place, entry in entries.changed.items():
                name, row = entries.row(place)
                row[place % _BLOCK] = ENTRY.write(entry)  # of several in one row, the last has all
                yield name, row
        for file, entry in self.changed.items():
            name = self._all.name_of("documents", file)
            part = self._all.get(name)
            part[file] = ENTRY.write(entry)
            yield name, part
