"""Edits of Markdown source: new destinations for links, and one H1.

Owns finding the bytes of a destination or a heading in the source, by the parser that also renders it; every
other byte stays. Knows no page and no URL.
Source of truth: CommonMark 0.31.2 §4.7, §6.3, §6.4, §6.5 (definitions, links, images, autolinks).

A bare address that GFM links without angle brackets is left as it is; so is `<address>` within a link's text, or
right behind "!" or "]", where a link would read as something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination, parseLinkLabel
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.reference import reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.autolink import autolink
from markdown_it.rules_inline.image import image
from markdown_it.rules_inline.link import link
from markdown_it.token import Token

from pybuild.render.markdown import make_parser

_SPACE = re.compile(r"[ \t\n]*")
_LABEL = re.compile(r"\[(?:[^\\\[\]]|\\.)*\]:", re.S)
_UNSAFE = re.compile(r"[\s<>|\\\x00-\x1f\x7f]")
_BALANCED = re.compile(r"[^()]*(?:\([^()]*\)[^()]*)*")
_PARENTHESIS = re.compile(r"[()]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|!#^])")
_LINE_START = re.compile(r"^(\s*\d{0,9})([-+=:.)])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MARKER = re.compile(r"(?<![^\s>:])#(?=[ \t]|$)")
_RAW_H1 = re.compile(r"<h1[\s>]", re.I)


@dataclass(frozen=True, slots=True)
class _Spot:
    """A destination in a passage's text."""

    start: int  # of "<" for an autolink
    end: int
    href: str
    shown: str = ""  # the visible text of an autolink


@dataclass(frozen=True, slots=True)
class _Passage:
    """A text as the parser was given it: lines without the marks of the blocks around them."""

    line: int  # of the first line in the source, 0-based
    text: str
    spots: tuple[_Spot, ...]
    is_cell: bool = False  # of a table, where the source has a backslash before each "|"


def rewrite_links(source: str, links: Mapping[str, str], *, html: bool = False) -> str:
    """Replace the destinations of links, images, definitions and `<autolinks>`.

    `links` maps a destination as `MarkdownRenderer` reports it to the one to write; others stay. An autolink
    becomes a link that shows the same text. `html` says whether raw HTML is read as such.
    """
    if not links:
        return source
    lines = _Lines(source)
    edits: list[tuple[int, int, str]] = []
    for passage in _passages(source, html):
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

    def find(self, passage: _Passage, spot: _Spot, base: int) -> tuple[int, int] | None:
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

    def cell(self, passage: _Passage) -> int:
        """The column of a table's cell. Precondition: those to its left were asked for before."""
        text = _in_cell(passage.text.strip())
        at = self.lines[passage.line].find(text, self.passed.get(passage.line, 0))
        self.passed[passage.line] = max(at, 0) + len(text)
        return max(at, 0)


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _passages(source: str, html: bool) -> Iterator[_Passage]:
    """Every passage with text, in order, then the definitions."""
    env: dict[str, Any] = {"definitions": []}
    tokens = _parser(html).parse(source, env)
    for before, token in pairwise(tokens):
        if token.type == "inline" and token.map:
            spots = tuple(token.meta.get("spots", ()))
            yield _Passage(token.map[0], token.content, spots, before.type in ("th_open", "td_open"))
    yield from env["definitions"]


@cache
def _parser(html: bool) -> MarkdownIt:
    """The parser of the renderer, with rules that note where they found a destination."""
    parser = make_parser(html=html)
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.disable("pybuild_autolinks")
    for name, rule in (("link", link), ("image", image)):
        parser.inline.ruler.at(name, partial(_noting_link, rule))
    parser.inline.ruler.at("autolink", _noting_autolink)
    parser.block.ruler.at("reference", _noting_definition)
    return parser


def _inline(state: StateCore) -> None:
    """Parse each passage, and let the rules know whose it is: an image's description is parsed apart."""
    for token in state.tokens:
        if token.type == "inline":
            token.children = []
            state.env["passage"] = token
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _note(state: StateInline, spot: _Spot) -> None:
    token = state.env["passage"]
    if state.tokens is token.children:
        token.meta.setdefault("spots", []).append(spot)


def _noting_link(rule: Callable[[StateInline, bool], bool], state: StateInline, silent: bool) -> bool:
    start, index = state.pos, len(state.tokens)
    if not rule(state, silent):
        return False
    opening = start + state.src.startswith("!", start)
    if not silent and state.src[state.pos - 1] == ")":
        label_end = parseLinkLabel(state, opening, opening == start)
        begin = _SPACE.match(state.src, label_end + 2).end()  # type: ignore[union-attr]
        found = parseLinkDestination(state.src, begin, state.pos)
        if state.src[label_end + 1 : label_end + 2] == "(":
            token = next(t for t in state.tokens[index:] if t.type in ("link_open", "image"))
            href = str(token.attrs.get("href", token.attrs.get("src")))
            _note(state, _Spot(begin, found.pos if found.ok else begin, href))
    return True


def _noting_autolink(state: StateInline, silent: bool) -> bool:
    start = state.pos
    found = autolink(state, silent)
    if found and not silent and not state.linkLevel and state.src[start - 1 : start] not in ("!", "]"):
        opening, shown = state.tokens[-3], state.tokens[-2]
        _note(state, _Spot(start, state.pos, str(opening.attrs["href"]), shown.content))
    return found


def _noting_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    found = reference(state, start, end, silent)
    if found and not silent:
        text = state.getLines(start, state.line, state.blkIndent, False)
        label = _LABEL.match(text, len(text) - len(text.lstrip()))
        begin = _SPACE.match(text, label.end()).end() if label else 0  # type: ignore[union-attr]
        written = parseLinkDestination(text, begin, len(text))
        href = state.md.normalizeLink(written.str)
        state.env["definitions"].append(_Passage(start, text, (_Spot(begin, written.pos, href),)))
    return found


def ensure_one_h1(source: str, title: str, *, html: bool = False) -> str:
    """Put `# title` at the top where there is no H1, and make every H1 after the first an H2.

    An H1 within a quotation or a list is made an H2 too: it is not the page's.
    """
    tokens = _parser(html).parse(source, {"definitions": []})
    headings = [token for token in tokens if token.type == "heading_open" and token.tag == "h1"]
    first = next((token for token in headings if token.level == 0), None)
    lines = source.split("\n")
    for token in headings:
        if token is not first and token.map:
            _demote(lines, token)
    text = "\n".join(lines)
    has_raw = any(token.type == "html_block" and _RAW_H1.search(token.content) for token in tokens)
    return text if first or has_raw else f"# {escape(title)}\n\n" + text.lstrip("\n")


def _demote(lines: list[str], heading: Token) -> None:
    assert heading.map, "a heading has lines"
    if heading.markup == "#":
        lines[heading.map[0]] = _MARKER.sub("##", lines[heading.map[0]], count=1)
    else:
        line = lines[heading.map[1] - 1]
        kept = line.rstrip().rstrip("=")
        lines[heading.map[1] - 1] = kept + "-" * max(3, len(line.rstrip()) - len(kept))
