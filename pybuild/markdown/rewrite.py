"""Edits of Markdown source: new destinations for links, and one H1.

Owns finding the bytes of a destination or a heading in the source, by the parser that also renders it; every
other byte stays. Knows no page and no URL.
Source of truth: CommonMark 0.31.2 §4.7, §6.3, §6.4, §6.5 (definitions, links, images, autolinks).

A bare address that GFM links without angle brackets is left as it is; so is `<address>` within a link's text, or
right behind "!" or "]", where a link would read as something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from urllib.parse import quote

from markdown_it import MarkdownIt

from pybuild.markdown.renderer import make_parser
from pybuild.markdown.source_spans import H1Span, InlineSource, LinkSpan, SourceMap, new_env, outline_of

_UNSAFE = re.compile(r"[\s<>|\\\x00-\x1f\x7f]")
_BALANCED = re.compile(r"[^()]*(?:\([^()]*\)[^()]*)*")
_PARENTHESIS = re.compile(r"[()]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|!#^])")
_LINE_START = re.compile(r"^(\s*\d{0,9})([-+=:.)])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MARKER = re.compile(r"(?<![^\s>:])#(?=[ \t]|$)")


def rewrite_links(
    source: str, links: Mapping[str, str], *, html: bool = False, outline: SourceMap | None = None
) -> str:
    """Replace the destinations of links, images, definitions and `<autolinks>`. No line is added or lost.

    `links` maps a destination as `MarkdownRenderer` reports it to the one to write; others stay. An autolink
    becomes a link that shows the same text. `html` says whether raw HTML is read as such. `outline` is the source's
    own, where it has been parsed already.
    """
    if not links:
        return source
    lines = _Lines(source)
    edits: list[tuple[int, int, str]] = []
    for passage in (outline or _outline(source, html)).passages:
        base = lines.cell(passage) if passage.is_cell else 0
        for spot in passage.spots:
            new = links.get(spot.href, spot.href)
            if new != spot.href and (at := lines.find(passage, spot, base)):
                text = f"[{escape(spot.shown)}]({destination(new)})" if spot.shown else destination(new)
                edits.append((*at, text))
    return _edited(source, edits)


def _edited(source: str, edits: list[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, text in sorted(edits):
        parts += [source[done:start], text]
        done = end
    return "".join([*parts, source[done:]])


def destination(href: str) -> str:
    """Write an href as a destination: `a(b` → `a\\(b`. What no destination can hold is percent-encoded.

    Angle brackets would allow more, but could end a tag that is open in the source.
    """
    href = _UNSAFE.sub(lambda found: quote(found[0]), href)
    href = _ENTITY.sub("&amp;", href)
    return (href if _BALANCED.fullmatch(href) else _PARENTHESIS.sub(r"\\\g<0>", href)) or "<>"


def escape(text: str) -> str:
    """Write plain text of one line as Markdown that shows exactly it."""
    marked = _SPECIAL.sub(r"\\\1", text)
    marked = _LINE_START.sub(r"\1\\\2", marked)
    return _CONTROL.sub(lambda found: f"&#{ord(found[0])};", marked)


class _Lines:
    """The lines of a source; turns a place in a passage into a place in the source."""

    def __init__(self, source: str) -> None:
        self.lines = source.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        self.passed: dict[int, int] = {}  # how far the cells of a line have been found

    def find(self, passage: InlineSource, spot: LinkSpan, base: int) -> tuple[int, int] | None:
        """Where the destination begins and ends in the source; None where the source spells it otherwise."""
        begin = passage.text.rfind("\n", 0, spot.start) + 1
        row = passage.line + passage.text.count("\n", 0, begin)
        line = passage.text[begin:].split("\n", 1)[0]
        before = line[: spot.start - begin].lstrip()
        raw = passage.text[spot.start : spot.end]
        if passage.is_cell:
            return self._at(row, base + len(_in_cell(before)), _in_cell(raw))
        rows = range(row, min(row + 2, len(self.lines)))  # the parser drops an empty first line
        columns = ((row, self.lines[row].rfind(line.strip())) for row in rows)
        return next((self._at(row, at + len(before), raw) for row, at in columns if at >= 0), None)

    def _at(self, row: int, column: int, raw: str) -> tuple[int, int] | None:
        start = self.starts[row] + column
        return (start, start + len(raw)) if self.lines[row].startswith(raw, column) else None

    def cell(self, passage: InlineSource) -> int:
        """The column of a table's cell. Precondition: those to its left were asked for before."""
        text = _in_cell(passage.text.strip())
        at = self.lines[passage.line].find(text, self.passed.get(passage.line, 0))
        self.passed[passage.line] = max(at, 0) + len(text)
        return max(at, 0)


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


@cache
def _parser(html: bool) -> MarkdownIt:
    return make_parser(html=html)


def _outline(source: str, html: bool) -> SourceMap:
    env = new_env()
    return outline_of(_parser(html).parse(source, env), env)


def ensure_one_h1(source: str, title: str, *, html: bool = False, outline: SourceMap | None = None) -> str:
    """Put `# title` at the top where there is no H1, and make every H1 after the first an H2.

    An H1 within a quotation or a list is made an H2 too: it is not the page's.
    """
    known = outline or _outline(source, html)
    first = next((found for found in known.titles if found.is_top), None)
    lines = source.split("\n")
    for found in known.titles:
        if found is not first:
            _demote(lines, found)
    text = "\n".join(lines)
    return text if first or known.has_raw_h1 else f"# {escape(title)}\n\n" + text.lstrip("\n")


def _demote(lines: list[str], heading: H1Span) -> None:
    if heading.is_atx:
        lines[heading.line] = _MARKER.sub("##", lines[heading.line], count=1)
    else:
        line = lines[heading.end - 1]
        kept = line.rstrip().rstrip("=")
        lines[heading.end - 1] = kept + "-" * max(3, len(line.rstrip()) - len(kept))
