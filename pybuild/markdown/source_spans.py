"""The places in Markdown source that a variant changes: destinations of links, and headings of the first level.

Owns the parser rules that note where they found a destination, and what is kept of a parse. Knows no renderer.
Source of truth: CommonMark 0.31.2 §4.7, §6.3, §6.4, §6.5 (definitions, links, images, autolinks).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

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

_SPACE = re.compile(r"[ \t\n]*")
_LABEL = re.compile(r"\[(?:[^\\\[\]]|\\.)*\]:", re.S)
_RAW_H1 = re.compile(r"<h1[\s>]", re.I)


@dataclass(frozen=True, slots=True)
class LinkSpan:
    """A destination in a passage's text."""

    start: int  # of "<" for an autolink
    end: int
    href: str
    shown: str = ""  # the visible text of an autolink


@dataclass(frozen=True, slots=True)
class InlineSource:
    """A text as the parser was given it: lines without the marks of the blocks around them."""

    line: int  # of the first line in the source, 0-based
    text: str
    spots: tuple[LinkSpan, ...]
    is_cell: bool = False  # of a table, where the source has a backslash before each "|"


@dataclass(frozen=True, slots=True)
class H1Span:
    """A heading of the first level."""

    line: int  # 0-based
    end: int  # of the line behind it
    is_atx: bool
    is_top: bool  # stands in no quotation or list


@dataclass(frozen=True, slots=True)
class SourceMap:
    """What is kept of a parse to edit its source."""

    passages: tuple[
        InlineSource, ...
    ] = ()  # with a destination, or a cell of a table; in order, then definitions
    titles: tuple[H1Span, ...] = ()
    has_raw_h1: bool = False


def new_env() -> dict[str, Any]:
    """The environment to parse with where an outline is wanted."""
    return {"definitions": []}


def outline_of(tokens: list[Token], env: dict[str, Any]) -> SourceMap:
    """Read the outline off a parse with `note_destinations`. Precondition: `env` is from `new_env`."""
    titles = [(t.map, t) for t in tokens if t.type == "heading_open" and t.tag == "h1" and t.map]
    return SourceMap(
        passages=tuple(_passages(tokens, env)),
        titles=tuple(H1Span(at[0], at[1], t.markup == "#", t.level == 0) for at, t in titles),
        has_raw_h1=any(t.type == "html_block" and _RAW_H1.search(t.content) for t in tokens),
    )


def _passages(tokens: list[Token], env: dict[str, Any]) -> Iterator[InlineSource]:
    for before, token in pairwise(tokens):
        if token.type == "inline" and token.map:
            spots = tuple(token.meta.get("spots", ()))
            is_cell = before.type in ("th_open", "td_open")
            if spots or is_cell:
                yield InlineSource(token.map[0], token.content, spots, is_cell)
    yield from env["definitions"]


def note_destinations(parser: MarkdownIt) -> None:
    """Make the parser's rules note where they found a destination."""
    parser.core.ruler.at("inline", _inline)
    for name, rule in (("link", link), ("image", image)):
        parser.inline.ruler.at(name, partial(_noting_link, rule))
    parser.inline.ruler.at("autolink", _noting_autolink)
    parser.block.ruler.at("reference", _noting_definition)


def _inline(state: StateCore) -> None:
    """Parse each passage, and let the rules know whose it is: an image's description is parsed apart."""
    for token in state.tokens:
        if token.type == "inline":
            token.children = []
            state.env["passage"] = token
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _note(state: StateInline, spot: LinkSpan) -> None:
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
            _note(state, LinkSpan(begin, found.pos if found.ok else begin, href))
    return True


def _noting_autolink(state: StateInline, silent: bool) -> bool:
    start = state.pos
    found = autolink(state, silent)
    if found and not silent and not state.linkLevel and state.src[start - 1 : start] not in ("!", "]"):
        opening, shown = state.tokens[-3], state.tokens[-2]
        _note(state, LinkSpan(start, state.pos, str(opening.attrs["href"]), shown.content))
    return found


def _noting_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    found = reference(state, start, end, silent)
    if found and not silent:
        text = state.getLines(start, state.line, state.blkIndent, False)
        label = _LABEL.match(text, len(text) - len(text.lstrip()))
        begin = _SPACE.match(text, label.end()).end() if label else 0  # type: ignore[union-attr]
        written = parseLinkDestination(text, begin, len(text))
        href = state.md.normalizeLink(written.str)
        state.env.setdefault("definitions", []).append(
            InlineSource(start, text, (LinkSpan(begin, written.pos, href),))
        )
    return found
