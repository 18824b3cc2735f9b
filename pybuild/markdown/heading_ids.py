"""Anchors: the ids that headings get.

Owns the slug of a heading and what makes it unique in its page. Knows no Markdown.
Source of truth: the `github-slugger` package 2, whose results it gives for letters, marks and digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DROPPED_ASCII = re.compile(r"[^\w\s-]", re.ASCII)
_SPACE = re.compile(r"\s")


def slug(text: str) -> str:
    """Make an id of a heading's text: `What's new in 2.0?` → `whats-new-in-20`. It may be empty."""
    lowered = text.strip().lower()
    if lowered.isascii():
        return _SPACE.sub("-", _DROPPED_ASCII.sub("", lowered))
    kept = (c for c in lowered if c in "-_" or c.isspace() or unicodedata.category(c)[0] in "LMN")
    return _SPACE.sub("-", "".join(kept))


class Anchors:
    """The ids of one page, in order; none is given twice."""

    def __init__(self, taken: Iterable[str] = (), reserved: Iterable[str] = ()) -> None:
        """`taken` are ids of the page; `reserved` may become some."""
        self.ids: list[str] = list(dict.fromkeys(taken))
        self._taken = {*self.ids, *reserved}
        self._counts: dict[str, int] = {}

    def claim(self, wanted: str) -> str:
        """Give `wanted`, or `wanted-1`, `wanted-2` … where it is taken; `""` becomes `section`."""
        wanted = wanted or "section"
        unique, count = wanted, self._counts.get(wanted, 0)
        while unique in self._taken:
            count += 1
            unique = f"{wanted}-{count}"
        self._counts[wanted] = count
        self._taken.add(unique)
        self.ids.append(unique)
        return unique
