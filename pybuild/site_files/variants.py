"""The Markdown variants that a long text is made of, and what the last export made of them.

Owns the decision that a part of a text is what it was: the same pages, with the same titles, addresses and variants,
after the same opening. It is then not written again, and none of its variants is read. Knows no format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pybuild.records import Page

FEEDS = "feeds"  # the name of all of them among the parts of texts


def _unknown(page: Page) -> str:
    return ""


def _gone(path: str, digest: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of long texts by their names: a digest of what goes into each, and how many pages are in it."""

    last: Mapping[str, Any] = field(default_factory=dict)  # with the digest of its file; a JSON value
    made: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # with the path of its file
    pages: dict[str, list[Any]] = field(default_factory=dict)  # of those made anew what `KeptText` holds


@dataclass(frozen=True, slots=True)
class KeptText:
    """A part of a long text as an export made it."""

    limit: int  # characters
    head: str
    path: str  # of its file; "" where it has none
    urls: Sequence[str]  # of its pages and the one behind

    @property
    def opening(self) -> str:
        """What is before its pages, for `Variants.part_digest`."""
        return f"{self.limit}\0{self.head}"


@dataclass(frozen=True, slots=True)
class Variants:
    """The variants of the pages of one export."""

    read: Callable[[Page], str]
    digest: Callable[[Page], str] = _unknown  # of the file; "" where it is not known
    holds: Callable[[str, str], bool] = _gone  # whether a published file of that path has that digest
    parts: Parts = field(default_factory=Parts)

    def last_part(self, name: str) -> tuple[str, int, str]:
        """Of the part of that name its digest, how many pages were in it, and the digest of its file."""
        try:
            key, count, digest = self.parts.last[name]
            return str(key), int(count), str(digest)
        except (LookupError, TypeError, ValueError):
            return "", 0, ""

    def part_digest(self, opening: str, pages: Iterable[Page]) -> str:
        """A digest of all that goes into a part; "" where that is not known.

        The last of the pages is the one behind it, which did not fit.
        """
        sha = hashlib.sha256(opening.encode("utf-8", "surrogatepass"))
        for page in pages:
            if not (digest := self.digest(page)):
                return ""
            text = f"\0{page.url}\0{page.title}\0{page.href}\0{digest}"
            sha.update(text.encode("utf-8", "surrogatepass"))
        return sha.hexdigest()[:32]
