"""What comes back from rendering one job: rows, never bodies.

Owns the value that crosses from a worker to the export, and how many of them are held. Knows no template and no
engine.
"""

from __future__ import annotations

import hashlib
import marshal
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from pybuild import compact as packed
from pybuild.diagnostics import Diagnostic, has_errors
from pybuild.plain import codec_of
from pybuild.records import File, Link, Page, Redirection
from pybuild.render.links import Asset

LINK_DIGEST = 8
NOT_REPEATABLE = (("", ""),)  # fetched: something that cannot be asked for again


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
    template_links: tuple[
        Link, ...
    ] = ()  # of templates, but those that another answer of the same process has
    template_link_ids: bytes = b""  # digests of all links that templates give it, `LINK_DIGEST` bytes each
    document_hrefs: str = ""  # what its document links to inside the site, as written, a line each
    link_digest: str = ""  # a digest of what became of them
    pictures: str = ""  # what it depends on of the pictures that it shows, a line each
    places: tuple[int, ...] = ()  # of what its layouts stand around, as of `layouts.Places`
    fetched: tuple[tuple[str, str], ...] = ()  # key and digest of each answer that `fetch` gave its code
    keeps: bool = (
        False  # it stays in the next export where a source is down; of a failure: its last one may stay
    )
    is_last: bool = False  # it is that of the last export, since a source is down


def link_digest(link: Link) -> bytes:
    """What stands for a link that many pages have."""
    said = repr(LINK.write(link))
    return hashlib.blake2b(said.encode("utf-8", "backslashreplace"), digest_size=LINK_DIGEST).digest()


def link_number(link: Link) -> int:
    """The digest of a link as `link_numbers` gives it."""
    return int.from_bytes(link_digest(link), sys.byteorder)


def link_numbers(shared: bytes) -> Collection[int]:
    """The digests of the links that a row shares with others, as numbers. Raises `TypeError` for what holds none."""
    return memoryview(shared).cast("Q")


_BLOCK = 16  # rows that are compressed together, in a quarter of the memory


ROW, LINK = codec_of(Rendered), codec_of(Link)


def pack(row: Rendered) -> Rendered | bytes:
    """What to send of a row, in a third of the time that pickling takes; as it is where it has findings.

    Read by the same program only.
    """
    try:
        return row if row.findings else marshal.dumps(ROW.write(row))
    except ValueError:  # a text of a class of its own
        return row


def _unpacked(row: bytes) -> Rendered:
    return ROW.read(marshal.loads(row))


def to_value(row: Rendered) -> Any:
    """Write a row for a later program, which `ROW` reads; what it shares with others and is of this run is left out."""
    is_own = not row.template_links and not row.is_last
    return ROW.write(row if is_own else replace(row, template_links=(), is_last=False))


def _staying(last: Rendered, failure: Rendered) -> Rendered:
    """The row of the last export in place of one whose source is down, with a warning that says so."""
    findings = (
        replace(found, severity="warning", message=f"{found.message}; what the last export made stays")
        if found.code == "fetch-error"
        else found
        for found in failure.findings
    )
    return replace(last, findings=tuple(dict.fromkeys((*last.findings, *findings))), keeps=True, is_last=True)


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
        self.stand_ins: dict[int, Rendered] = {}  # of the last export, for jobs whose source may be down

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Those of all rows."""
        return tuple(finding for _, finding in self.findings_by_job)

    @property
    def findings_by_job(self) -> Iterator[tuple[int, Diagnostic]]:
        """Those of all rows, each with the index of its job."""
        return ((index, finding) for index, some in sorted(self._findings.items()) for finding in some)

    def add(self, index: int, row: Rendered | bytes) -> None:
        """Hold a row, which may be packed. Precondition: there is none of this index."""
        if last := self.stand_ins.get(index):
            if isinstance(row, Rendered) and row.keeps and has_errors(row.findings):
                row = _staying(last, row)
            else:
                del self.stand_ins[index]
        if self._jobs <= packed.MANY and isinstance(row, bytes):
            row = _unpacked(row)
        elif self._jobs > packed.MANY and isinstance(row, Rendered):
            row = pack(row)
        if isinstance(row, bytes):
            number = index // _BLOCK
            block = self._open.setdefault(number, {})
            block[index] = row
            if len(block) == _BLOCK:
                self._full[number] = packed.pack(self._open.pop(number))
            return
        self._plain[index] = row
        if row.findings:
            self._findings[index] = row.findings

    def __getitem__(self, index: int) -> Rendered:
        if index in self._plain:
            return self._plain[index]
        number = index // _BLOCK
        if number in self._open:
            return _unpacked(self._open[number][index])
        if self._last[0] != number:
            self._last = number, packed.unpack(self._full[number])
        return _unpacked(self._last[1][index])

    def consume(self) -> Iterator[Rendered]:
        """Every row, in order, each let go of as it is given."""
        for index in list(self):
            yield self[index]
            self._plain.pop(index, None)
            if index % _BLOCK == _BLOCK - 1:
                self._full.pop(index // _BLOCK, None)

    def __iter__(self) -> Iterator[int]:
        held = (
            index
            for number in (*self._open, *self._full)
            for index in self._open.get(number, range(number * _BLOCK, (number + 1) * _BLOCK))
        )
        return iter(sorted(chain(self._plain, held)))

    def __len__(self) -> int:
        return len(self._plain) + sum(map(len, self._open.values())) + len(self._full) * _BLOCK
