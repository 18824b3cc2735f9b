"""Links of natively parsed Markdown: what each leads to, and where the source writes it.

Owns places in the source: bytes to lines, and the destinations of links. Knows no HTML.
Source of truth: CommonMark 0.31.2 §4.7, §6.3, §6.5; `pybuild.markdown.source_spans` for what is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination

from pybuild.markdown.renderer import FoundLink
from pybuild.markdown.source_spans import H1Span, InlineSource, LinkSpan

_SPACE = re.compile(r"[ \t\n]*")
_PLAIN = re.compile(r"(?:https?://[a-z0-9.-]+(?=[/?#]|$))?[A-Za-z0-9/._?#=&~@!$'()*+,;-]*")  # stays as it is
_SIMPLE = re.compile(r"[^ \t\n()<>\\]+(?=[ \t\n)])")
_LABEL = re.compile(r"\[(?:[^\\\[\]]|\\.)*\]:", re.S)


class Unfit(Exception):
    """The text holds what the native parser reads in another way."""


@dataclass(slots=True)
class WalkedHeading:
    """A heading."""

    level: int
    text: str = ""  # plain
    custom: str = ""  # its `{#id}`


@dataclass(slots=True)
class Reading:
    """What one text gives. In `html`, NUL stands for the destinations of links and a sign for "<"."""

    html: str = ""
    asked: list[tuple[str, int, bool]] = field(default_factory=list)  # what `Resolve` takes
    found: list[FoundLink] = field(default_factory=list)
    passages: list[InlineSource] = field(default_factory=list)
    headings: list[WalkedHeading] = field(default_factory=list)
    titles: list[H1Span] = field(default_factory=list)
    excerpt: str = ""
    has_h1: bool = False


class Source:
    """The text as it was parsed; places are bytes of it."""

    def __init__(self, text: str, sign: str, md: MarkdownIt) -> None:
        self.text = text
        self.sign = sign
        self.md = md

    @cached_property
    def data(self) -> bytes:
        return self.text.encode("utf-8", "surrogatepass")

    @cached_property
    def starts(self) -> list[int]:
        """Where the lines begin."""
        return [0, *(found.end() for found in re.finditer(b"\n", self.data))]

    def line(self, place: int) -> int:
        """The line of a place, 0-based."""
        return bisect_right(self.starts, place) - 1

    def cut(self, start: int, end: int) -> str:
        return self.data[start:end].decode("utf-8", "surrogatepass")

    def rest(self, place: int) -> tuple[int, str]:
        """The line of a place, and what stands on it from there, as the author wrote it."""
        row = self.line(place)
        end = self.starts[row + 1] - 1 if row + 1 < len(self.starts) else len(self.data)
        return row, self.plain(self.cut(place, end))

    def plain(self, text: str) -> str:
        """Text as the author wrote it."""
        return text.replace(self.sign, "<")

    def href(self, written: str) -> str:
        """A destination as the other parser gives it. Raises `Unfit` for one that is no link there."""
        href = self.plain(written)
        if _PLAIN.fullmatch(href):
            return href
        normal = _normal(self.md, href)
        if normal is None:
            raise Unfit
        return normal


@lru_cache(maxsize=2048)
def _normal(md: MarkdownIt, href: str) -> str | None:
    normal = md.normalizeLink(href)
    return normal if md.validateLink(normal) else None


def destination(text: str, place: int) -> tuple[int, str]:
    """Where the destination begins of the link whose text ends with the `](` at `place`, and as it is written."""
    begin = _SPACE.match(text, place + 2).end()  # type: ignore[union-attr]
    simple = _SIMPLE.match(text, begin)
    if simple:
        return begin, simple[0]
    found = parseLinkDestination(text, begin, len(text))
    return begin, text[begin : found.pos] if found.ok else ""


class Links:
    """The links of one text, and the places that a variant may change."""

    def __init__(self, source: Source, offset: int) -> None:
        self.found: list[FoundLink] = []
        self.asked: list[tuple[str, int, bool]] = []  # what `Resolve` takes
        self.passages: list[InlineSource] = []
        self._source = source
        self._offset = offset

    def ask(self, href: str, start: int, *, is_image: bool = False) -> None:
        """Note a link whose source begins at `start`."""
        line = self._offset + self._source.line(start) + 1
        self.found.append(FoundLink(href, line))
        self.asked.append((href, line, is_image))

    def spot(self, href: str, label_end: int, end: int) -> None:
        """Note where the destination stands of a link whose text ends at `label_end`."""
        text = self._source.cut(label_end, end)
        opening = text.find("](")
        if opening < 0:
            raise Unfit
        begin, written = destination(text, opening)
        self._note(label_end + len(text[:begin].encode("utf-8", "surrogatepass")), written, href)

    def autolink(self, href: str, shown: str, start: int, end: int) -> None:
        """Note an address between angle brackets, but right behind what would read a link as something else."""
        if self._source.data[start - 1 : start] not in (b"!", b"]"):
            row, rest = self._source.rest(start)
            length = len(self._source.plain(self._source.cut(start, end)))
            self.passages.append(InlineSource(row, rest, (LinkSpan(0, length, href, shown),)))

    def define(self, definitions: Mapping[str, Any]) -> None:
        """Note the destinations of reference definitions."""
        for one in definitions.values():
            start, end = one["span"]["start"], one["span"]["end"]
            text = self._source.cut(start, end)
            label = _LABEL.match(text)
            if label is None:
                raise Unfit
            begin = _SPACE.match(text, label.end()).end()  # type: ignore[union-attr]
            found = parseLinkDestination(text, begin, len(text))
            if not found.ok:
                raise Unfit
            place = start + len(text[:begin].encode("utf-8", "surrogatepass"))
            self._note(place, text[begin : found.pos], self._source.href(one["dest"]))

    def _note(self, place: int, written: str, href: str) -> None:
        row, rest = self._source.rest(place)
        self.passages.append(InlineSource(row, rest, (LinkSpan(0, len(written), href),)))
