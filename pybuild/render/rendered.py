"""What comes back from rendering one job: rows, never bodies.

Owns the value that crosses from a worker to the export, and how many of them are held. Knows no template and no
engine.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pybuild.artifact import File, Link, Page, Redirection
from pybuild.diagnostics import Diagnostic
from pybuild.render.links import Asset

LINK_DIGEST = 8


@dataclass(frozen=True, slots=True)
class Rendered:
    """A job's answer. Empty but for `findings` when the job failed."""

    files: tuple[File, ...] = ()
    page: Page | None = None
    redirection: Redirection | None = None
    links: str = ""  # of its document, packed
    anchors: str = ""  # ids in the HTML, a line each, between line ends
    assets: tuple[Asset, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    given: tuple[Link, ...] = ()  # of templates, but those that another answer of the same process has
    shared: bytes = b""  # digests of all links that templates give it, `LINK_DIGEST` bytes each
    hrefs: str = ""  # what its document links to inside the site, as written, a line each
    resolved: str = ""  # a digest of what became of them


MANY = 20_000  # rows; more are held packed
_BLOCK = 16  # rows that are compressed together, in a quarter of the memory


def pack(row: Rendered, rows: int) -> Rendered | bytes:
    """What to send of a row where there are `rows` of them. Read by the same program only."""
    return row if row.findings or rows <= MANY else pickle.dumps(row, pickle.HIGHEST_PROTOCOL)


class Rows(Mapping[int, Rendered]):
    """Rows by the index of their job, in its order. Where there are many, each is unpacked when it is asked for."""

    def __init__(self, jobs: int) -> None:
        """`jobs` is how many rows there may be."""
        self._jobs = jobs
        self._plain: dict[int, Rendered] = {}
        self._open: dict[int, dict[int, bytes]] = {}  # blocks that are not full
        self._full: dict[int, bytes] = {}
        self._findings: dict[int, tuple[Diagnostic, ...]] = {}
        self._last: tuple[int, Mapping[int, bytes]] = -1, {}

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Those of all rows."""
        return tuple(finding for _, findings in sorted(self._findings.items()) for finding in findings)

    def add(self, index: int, row: Rendered | bytes) -> None:
        """Hold a row, which may be packed. Precondition: there is none of this index."""
        if isinstance(row, Rendered):
            if row.findings:
                self._findings[index] = row.findings
            if self._jobs <= MANY:
                self._plain[index] = row
                return
            row = pickle.dumps(row, pickle.HIGHEST_PROTOCOL)
        number = index // _BLOCK
        block = self._open.setdefault(number, {})
        block[index] = row
        if len(block) == _BLOCK:
            self._full[number] = zlib.compress(pickle.dumps(self._open.pop(number)), 1)

    def _block(self, number: int) -> Mapping[int, bytes]:
        if number in self._open:
            return self._open[number]
        if self._last[0] != number:
            self._last = number, pickle.loads(zlib.decompress(self._full[number]))
        return self._last[1]

    def __getitem__(self, index: int) -> Rendered:
        if self._jobs <= MANY:
            return self._plain[index]
        row: Rendered = pickle.loads(self._block(index // _BLOCK)[index])
        return row

    def drained(self) -> Iterator[Rendered]:
        """Every row, in order, each let go of as it is given."""
        for index in list(self):
            yield self[index]
            self._plain.pop(index, None)
            if index % _BLOCK == _BLOCK - 1:
                self._full.pop(index // _BLOCK, None)

    def __iter__(self) -> Iterator[int]:
        yield from sorted(self._plain)
        for number in sorted((*self._open, *self._full)):
            begin = number * _BLOCK
            yield from sorted(self._open[number]) if number in self._open else range(begin, begin + _BLOCK)

    def __len__(self) -> int:
        return len(self._plain) + sum(map(len, self._open.values())) + len(self._full) * _BLOCK
