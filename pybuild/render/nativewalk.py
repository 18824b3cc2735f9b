"""A walk over the events of a native Markdown parser that writes the HTML of `render.markdown`.

Owns the HTML of blocks, and which event is whose. Raises `Unfit` at what the two parsers read differently.
Source of truth: CommonMark 0.31.2; pulldown-cmark's events; the renderer of markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pybuild.render.markdown import code_block
from pybuild.render.nativeinline import Inline
from pybuild.render.nativelinks import Reading, Source, Unfit, WalkedHeading
from pybuild.render.outline import Title

_INDENTED = 4  # columns
_CUSTOM_ID = re.compile(r"([A-Za-z][\w.:-]*)\}[ \t]*")  # behind "{#"
_TASK = re.compile(
    r"[ \t]+(?!\[[^\]]*\]:)[^\s\-+*#>`~=_|<&\\0-9]"
)  # words of a task that are no block of their own
_CLOSING = re.compile(r"[ \t]+#+[ \t]*$")
_SIDES = {"None": ""} | {
    side.capitalize(): f' style="text-align:{side}"' for side in ("left", "right", "center")
}


class Walk(Inline):
    """What one text gives."""

    def __init__(self, source: Source, offset: int, *, is_highlighted: bool) -> None:
        super().__init__(source, offset)
        self.headings: list[WalkedHeading] = []
        self.titles: list[Title] = []
        self.excerpt = ""
        self.has_h1 = False
        self._is_highlighted = is_highlighted
        self._top = 0  # blocks that contain others
        self._info = ""
        self._is_indented = False
        self._lists: list[tuple[str, int]] = []  # tag, and place in the output
        self._items: list[int] = []
        self._sides: tuple[str, ...] = ()
        self._column = 0
        self._is_head = False

    def run(self, events: Iterable[tuple[Any, Any]]) -> None:
        """Take all events."""
        for event, place in events:
            if event.__class__ is str:
                _PLAIN[event](self, place["start"], place["end"])
                continue
            start, end = place["start"], place["end"]
            for kind, value in event.items():
                if kind == "Text":
                    self._on_text(value, start, end)
                elif kind == "Start":
                    self._start(value, start, end)
                elif kind == "End":
                    name = value if value.__class__ is str else next(iter(value))
                    _STOPS.get(name, _unknown_end)(self, start, end)
                else:
                    _KINDS[kind](self, value, start, end)
        if self._text:
            self._flush()

    def reading(self) -> Reading:
        """What the events told."""
        return Reading(
            "".join(self.out),
            self.links.asked,
            self.links.found,
            self.links.passages,
            self.headings,
            self.titles,
            self.excerpt,
            self.has_h1,
        )

    def _block(self) -> None:
        """Begin a block: on a line of its own."""
        if self._text:
            self._flush()
        self._end_label()
        if self._fresh or self._is_tight:
            self.out.append("\n")
        self._fresh, self._is_tight = "", False

    def _end_label(self) -> None:
        if self._is_label:
            self.out.append("</label>")
            self._is_label = False

    def _open_paragraph(self, start: int) -> None:
        self._block()
        self.out.append("<p>")
        self._words = []

    def _close_paragraph(self) -> None:
        if self._text:
            self._flush()
        self._end_label()
        self.out.append("</p>\n")
        if not self.excerpt and not self._top:
            self.excerpt = self._plain()

    def _plain(self) -> str:
        return " ".join("".join(self._words).replace(self._source.sign, "<").split())

    def _open_heading(self, value: dict[str, Any], start: int) -> None:
        self._block()
        level = int(value["level"][1])
        if not self.out and level == 1:
            self.has_h1 = True
        self.headings.append(WalkedHeading(level))
        self.out.append(f"<h{level}>")
        self._words = []

    def _close_heading(self, start: int, end: int) -> None:
        heading, is_atx = self.headings[-1], self._source.data[start : start + 1] == b"#"
        if self._text and "{#" in "".join(self._text):
            heading.custom = self._take_id(self._source.cut(start, end), is_atx=is_atx)
        if self._text:
            self._flush()
        heading.text = self._plain()
        if heading.level == 1:
            behind = self._source.line(max(start, end - 1)) + 1
            self.titles.append(Title(self._source.line(start), behind, is_atx, not self._top))
        self.out.append(f"</h{heading.level}>\n")

    def _take_id(self, written: str, *, is_atx: bool) -> str:
        """Take `{#id}` off the end of a heading."""
        if "\\" in written or self._has_escape or "://" in written or "www." in written:
            raise Unfit
        line = written.rstrip("\n") if is_atx else written.rstrip("\n").rpartition("\n")[0]
        tail = (_CLOSING.sub("", line) if is_atx else line).rpartition("{#")[2]
        found = _CUSTOM_ID.fullmatch(tail)
        if not found:
            return ""
        self._text = ["".join(self._text).rpartition("{#")[0].rstrip()]
        self._text = self._text if self._text[0] else []
        return found[1]

    def _rule(self, start: int, end: int) -> None:
        self._block()
        self.out.append("<hr>\n")

    def _open_quote(self, kind: object) -> None:
        if kind is not None:
            raise Unfit
        self._container("blockquote", "<blockquote>")

    def _container(self, tag: str, html: str) -> None:
        self._block()
        self._deepen()
        self._top += 1
        self.out.append(html)
        self._fresh = tag

    def _close_container(self, tag: str) -> None:
        if self._text:
            self._flush()
        self._end_label()
        self._depth -= 1
        self._top -= 1
        self.out.append(f"</{tag}>\n")
        self._fresh, self._is_tight = "", False

    def _open_list(self, first: int | None) -> None:
        tag = "ul" if first is None else "ol"
        html = "<ul>" if first is None else "<ol>" if first == 1 else f'<ol start="{first}">'
        self._container(tag, html)
        self._lists.append((tag, len(self.out) - 1))

    def _close_list(self) -> None:
        tag, _ = self._lists.pop()
        self._close_container(tag)

    def _open_item(self) -> None:
        self._container("li", "<li>")
        self._items.append(len(self.out) - 1)
        self._words = []

    def _close_item(self) -> None:
        self._items.pop()
        self._close_container("li")

    def _on_task(self, value: bool, start: int, end: int) -> None:
        if not _TASK.match(self._source.rest(end)[1]):
            raise Unfit
        tag, place = self._lists[-1]
        opening = self.out[place]
        if "class=" not in opening:
            self.out[place] = f'<{tag} class="contains-task-list"{opening[len(tag) + 1 :]}'
        self.out[self._items[-1]] = '<li class="task-list-item">'
        self._inline(f'<label><input type="checkbox" disabled{" checked" if value else ""}> ')
        self._is_label = True
        self._end = self._after = end

    def _open_code(self, kind: Any) -> None:
        self._block()
        self._info = kind["Fenced"] if isinstance(kind, dict) else ""
        if "\\" in self._info or "&" in self._info:
            raise Unfit
        self._code = []
        self._is_indented = not isinstance(kind, dict)

    def _close_code(self) -> None:
        plain, code = self._source.plain, "".join(self._code or ())
        code += "\n" if self._is_indented and not code.endswith("\n") else ""
        self.out.append(code_block(plain(code), plain(self._info), is_highlighted=self._is_highlighted))
        self._code = None

    def _open_table(self, sides: tuple[str, ...]) -> None:
        self._block()
        self._top += 1
        self._sides = sides
        self.out.append('<div class="table-wrap" tabindex="0">\n<table>\n')

    def _close_table(self) -> None:
        self._top -= 1
        if not self._is_head:
            self.out.append("</tbody>\n")
        self.out.append("</table>\n</div>\n")
        self._fresh, self._is_head = "", False

    def _open_head(self) -> None:
        self._column, self._is_head = 0, True
        self.out.append("<thead>\n<tr>\n")

    def _close_head(self) -> None:
        self.out.append("</tr>\n</thead>\n")

    def _open_row(self, start: int) -> None:
        if not self._lists and start - self._source.starts[self._source.line(start)] >= _INDENTED:
            raise Unfit  # the other parser ends the table there
        if self._is_head:
            self.out.append("<tbody>\n")
        self._column, self._is_head = 0, False
        self.out.append("<tr>\n")

    def _close_row(self) -> None:
        self.out.append("</tr>\n")

    def _open_cell(self) -> None:
        self._fresh = "cell"
        tag = "th" if self._is_head else "td"
        self.out.append(f"<{tag}{_SIDES[self._sides[self._column]]}>")
        self._words = []

    def _close_cell(self) -> None:
        if self._text:
            self._flush()
        self._column += 1
        self._fresh = ""
        self.out.append("</th>\n" if self._is_head else "</td>\n")

    def _start(self, value: Any, start: int, end: int) -> None:
        if value.__class__ is str:
            _STARTS.get(value, _unknown)(self, None, start, end)
            return
        for name, inner in value.items():
            _STARTS.get(name, _unknown)(self, inner, start, end)


def _unknown(walk: Walk, value: Any, start: int, end: int) -> None:
    raise Unfit


def _unknown_end(walk: Walk, start: int, end: int) -> None:
    raise Unfit


_STARTS: dict[str, Callable[[Walk, Any, int, int], None]] = {
    "Paragraph": lambda walk, value, start, end: walk._open_paragraph(start),
    "Heading": lambda walk, value, start, end: walk._open_heading(value, start),
    "BlockQuote": lambda walk, value, start, end: walk._open_quote(value),
    "List": lambda walk, value, start, end: walk._open_list(value),
    "Item": lambda walk, value, start, end: walk._open_item(),
    "CodeBlock": lambda walk, value, start, end: walk._open_code(value),
    "Table": lambda walk, value, start, end: walk._open_table(value),
    "TableHead": lambda walk, value, start, end: walk._open_head(),
    "TableRow": lambda walk, value, start, end: walk._open_row(start),
    "TableCell": lambda walk, value, start, end: walk._open_cell(),
    "Link": lambda walk, value, start, end: walk._open_link(value, start, end),
    "Image": lambda walk, value, start, end: walk._open_image(value, start, end),
    "Emphasis": lambda walk, value, start, end: walk._open_inline("Emphasis", start),
    "Strong": lambda walk, value, start, end: walk._open_inline("Strong", start),
    "Strikethrough": lambda walk, value, start, end: walk._open_inline("Strikethrough", start),
}
_STOPS: dict[str, Callable[[Walk, int, int], None]] = {
    "Paragraph": lambda walk, start, end: walk._close_paragraph(),
    "Heading": lambda walk, start, end: walk._close_heading(start, end),
    "BlockQuote": lambda walk, start, end: walk._close_container("blockquote"),
    "List": lambda walk, start, end: walk._close_list(),
    "Item": lambda walk, start, end: walk._close_item(),
    "CodeBlock": lambda walk, start, end: walk._close_code(),
    "Table": lambda walk, start, end: walk._close_table(),
    "TableHead": lambda walk, start, end: walk._close_head(),
    "TableRow": lambda walk, start, end: walk._close_row(),
    "TableCell": lambda walk, start, end: walk._close_cell(),
    "Link": lambda walk, start, end: walk._close_link(end),
    "Image": lambda walk, start, end: walk._close_image(end),
    "Emphasis": lambda walk, start, end: walk._close_inline("Emphasis", end),
    "Strong": lambda walk, start, end: walk._close_inline("Strong", end),
    "Strikethrough": lambda walk, start, end: walk._close_inline("Strikethrough", end),
}
_PLAIN: dict[str, Callable[[Walk, int, int], None]] = {
    "SoftBreak": Walk._soft_break,
    "HardBreak": Walk._hard_break,
    "Rule": Walk._rule,
}
_KINDS: dict[str, Callable[[Walk, Any, int, int], None]] = {
    "Code": Walk._on_code,
    "TaskListMarker": Walk._on_task,
    "Html": _unknown,
    "InlineHtml": _unknown,
    "InlineMath": _unknown,
    "DisplayMath": _unknown,
    "FootnoteReference": _unknown,
}
