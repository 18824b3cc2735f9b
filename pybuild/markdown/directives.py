"""Directives: blocks that are named, `::: name key="value"`, and tabs in all their spellings.

Owns what the line of a directive says, and the two texts that directives become: HTML by a component's `NAME.html`,
Markdown by its `NAME.md`. Where they begin and end is known by `blocks`; knows no template and no page.
Sources: markdown-it-container; Docusaurus, "Admonitions"; Material for MkDocs, "Content tabs"; VitePress, "Code groups";
vitepress-plugin-tabs; PyMdown, "Blocks".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from markdown_it.common.utils import unescapeAll

from pybuild.markdown.fences import TITLE

GROUPS = frozenset({"tabs", "code-group"})  # whose parts are tabs
INCLUDE = "include"
_ATTRIBUTE = re.compile(  # but those of tags in the title
    r"""<[A-Za-z][^<>]*>|(?<!\S)([A-Za-z][\w-]*)=(?:"([^"]*)"|'([^']*)'|([^\s"'}]+))"""
)
_BRACES = re.compile(r"\s*\{([^{}]*)\}\s*$")  # as in `Title {open}`
_WORD = re.compile(r"(?<![.#\w-])[A-Za-z][\w-]*")
_PART = re.compile(r"""(?:==|@tab(?::active)?)[ \t]+(?P<label>\S.*)$""")


class Components(Protocol):
    """What makes HTML and Markdown of a directive."""

    @property
    def names(self) -> Collection[str]:
        """The names that are known."""

    def html(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        """The element of a directive around the HTML of its body."""

    def markdown(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        """What a variant has of a directive and the Markdown of its body."""


@dataclass(frozen=True, slots=True)
class Directive:
    """The first line of one."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)  # `title` always among them
    line: int = 0  # in the text, 1-based
    begins_set: bool = False  # a tab that does not belong to the tab above


def attributes_of(rest: str) -> dict[str, str]:
    """What follows a name: `Some title {key="value"}` → title and key."""
    rest = rest.replace("{", "{ ")
    found = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(rest) if name}
    text = _ATTRIBUTE.sub(lambda part: "" if part[1] else part[0], rest).strip()
    if braces := _BRACES.search(text):
        text = text[: braces.start()]
        found |= {word.lower(): word for word in _WORD.findall(braces[1])}
    if len(text) > 1 and text[0] + text[-1] in ('""', "[]", "''"):
        text = text[1:-1]
    return {"title": text, **found}


def part_label(line: str) -> str:
    """The label of a tab in `::: tabs`: `== Label`, `@tab Label`; "" for any other line."""
    found = _PART.match(line.strip())
    return found["label"].strip() if found else ""


def fence_label(info: str) -> tuple[str, str]:
    """The label of a fence in a group, and what is left of its words: `js [a.js] {1}` → `a.js`, `js {1}`."""
    found = TITLE.search(info)
    if not found:
        return (info.split() or ["Code"])[0], info
    label = next(filter(None, found.groups()), "")
    return label, " ".join((info[: found.start()] + info[found.end() :]).split())


def apart(html: str, keep: str, change: Callable[[str], str]) -> str:
    """Change the HTML of each directive by itself, so that what is left open in one does not reach what is behind it."""
    inner: list[str] = []
    innermost = re.compile(rf"<div>{keep}(\d+){keep}((?:(?!<div>{keep}\d).)*?){keep}/\1{keep}</div>", re.S)

    def kept(found: re.Match[str]) -> str:
        inner.append(f"<div>{keep}{found[1]}{keep}{change(found[2])}{keep}/{found[1]}{keep}</div>")
        return f"{keep}={len(inner) - 1}{keep}"

    count = 1
    while count:
        html, count = innermost.subn(kept, html)
    html = change(html)
    for number in reversed(range(len(inner))):
        html = html.replace(f"{keep}={number}{keep}", inner[number])
    return html


@dataclass(frozen=True, slots=True)
class _Piece:
    """A finished part of a text; `tab` is the directive where it is one."""

    text: str
    tab: Directive | None = None


class DirectiveTexts:
    """Directives of one text as components show them. `plain` takes out of an attribute what marks escapes."""

    def __init__(
        self, directives: Mapping[int, Directive], components: Components, plain: Callable[[str], str]
    ) -> None:
        self._directives, self._components, self._plain = directives, components, plain

    def unknown(self) -> Iterator[Directive]:
        """Directives that no component shows."""
        for directive in self._directives.values():
            if directive.name not in self._components.names and directive.name not in GROUPS:
                yield directive

    def html(self, html: str, keep: str) -> str:
        """Put components in place of the elements that stand for directives, innermost first."""
        sign = re.compile(rf"<div>{keep}(\d+){keep}\n?|{keep}/(\d+){keep}(?:</div>)?\n?")
        around: list[tuple[int, list[_Piece]]] = []
        pieces: list[_Piece] = []
        done = 0
        for found in sign.finditer(html):
            pieces.append(_Piece(html[done : found.start()]))
            done = found.end()
            if found[1]:
                around.append((int(found[1]), pieces))
                pieces = []
            elif around:
                number, outer = around.pop()
                directive = self._directives[number]
                body = self._joined_html(pieces, directive.name)
                outer.append(self._piece(directive, body.strip()))
                pieces = outer
        pieces.append(_Piece(html[done:]))
        while around:
            number, outer = around.pop()
            outer.append(self._piece(self._directives[number], self._joined_html(pieces, "")))
            pieces = outer
        return self._joined_html(pieces, "")

    def _piece(self, directive: Directive, body: str) -> _Piece:
        name = self._known(directive.name)
        if not name:
            return _Piece(body + "\n")
        html = self._components.html(name, self._attributes(directive), body).strip()
        return _Piece(html + "\n", directive if name == "tab" else None)

    def _known(self, name: str) -> str:
        """The component that shows a directive; "" where its body is all there is."""
        if name in self._components.names:
            return name
        return "tabs" if name in GROUPS and "tabs" in self._components.names else ""

    def _attributes(self, directive: Directive) -> dict[str, str]:
        return {key: unescapeAll(self._plain(value)) for key, value in directive.attributes.items()}

    def _joined_html(self, pieces: Sequence[_Piece], name: str) -> str:
        """Pieces one after the other; tabs that follow one another are a set, where they are not in one."""
        if name in GROUPS or not any(piece.tab for piece in pieces):
            return "".join(piece.text for piece in pieces)
        out, tabs = "", ""
        for piece in pieces:
            if piece.tab and piece.tab.begins_set and tabs:
                out, tabs = out + self._components.html("tabs", {"title": ""}, tabs.strip()) + "\n", ""
            if piece.tab:
                tabs += piece.text
            elif tabs and piece.text.strip():
                out += self._components.html("tabs", {"title": ""}, tabs.strip()).strip() + "\n" + piece.text
                tabs = ""
            else:
                out += "" if tabs else piece.text
        return out + (self._components.html("tabs", {"title": ""}, tabs.strip()) + "\n" if tabs else "")

    def markdown(self, lines: Sequence[SourceLine]) -> list[str]:
        """The lines of a variant, with what components make of directives; an empty line is on either side of it."""
        out: list[str] = []
        around: list[tuple[Opened, list[str]]] = []
        gap: str | None = None  # the empty line that is due below a directive
        for line in lines:
            if isinstance(line, Opened):
                around.append((line, out))
                out, gap = [], None
            elif isinstance(line, Closed):
                opened, outer = around.pop()
                gap = _spaces_for(opened.prefix).rstrip()
                block = self._block(opened, out)
                out = [*outer, *([gap] if block and outer and not _is_blank(outer[-1]) else ()), *block]
            else:
                out += [line] if gap is None or _is_blank(line) else [gap, line]
                gap = None
        return out

    def _block(self, opened: Opened, body: Sequence[str]) -> list[str]:
        directive, below = self._directives[opened.number], _spaces_for(opened.prefix)
        bare = below.rstrip()
        text = "\n".join(line.removeprefix(below if line.startswith(below) else bare) for line in body)
        if name := self._known(directive.name):
            text = self._components.markdown(name, self._attributes(directive), text.strip("\n"))
        if not text.strip():
            return []
        first, *rest = text.strip("\n").split("\n")
        return [opened.prefix + first, *(below + line if line else bare for line in rest)]


def _spaces_for(prefix: str) -> str:
    """What the lines below the first of a container begin with: `- ` → two spaces."""
    return re.sub(r"[^>\s]", " ", prefix)


def _is_blank(line: str) -> bool:
    return not line.strip(" \t>")


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a directive begins in the lines of a variant."""

    number: int
    prefix: str  # of the lines of its container


@dataclass(frozen=True, slots=True)
class Closed:
    """Where the last one ends."""


SourceLine = str | Opened | Closed
