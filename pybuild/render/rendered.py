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


MANY = 20_000  # rows; more are held packed, in a quarter of the memory


def pack(row: Rendered, rows: int) -> Rendered | bytes:
    """What to hold of a row where there are `rows` of them. Read back by this process only."""
    return zlib.compress(pickle.dumps(row, pickle.HIGHEST_PROTOCOL), 1) if rows > MANY else row


class Rows(Mapping[int, Rendered]):
    """Rows by the index of their job, in its order; each is unpacked when it is asked for."""

    def __init__(self, held: Mapping[int, Rendered | bytes]) -> None:
        self._held = dict(sorted(held.items()))

    def __getitem__(self, index: int) -> Rendered:
        held = self._held[index]
        if isinstance(held, Rendered):
            return held
        row: Rendered = pickle.loads(zlib.decompress(held))
        return row

    def drained(self) -> Iterator[Rendered]:
        """Every row, in order, each let go of as it is given."""
        for index in list(self._held):
            row = self[index]
            del self._held[index]
            yield row

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)
