"""A walk over the events of a native Markdown parser that writes the HTML of `render.markdown`.

Owns the HTML of blocks, and which event is whose. Raises `Unfit` at what the two parsers read differently.
Source of truth: CommonMark 0.31.2; pulldown-cmark's events; the renderer of markdown-it.

Inline constructs of natively parsed Markdown, as the HTML of `render.markdown`.

Owns text, emphasis, code, links and images. In the HTML NUL stands for the destination of a link, and a sign of
punctuation for "<". Raises `Unfit` at what the two parsers read differently.
Source of truth: CommonMark 0.31.2 §6; pulldown-cmark's events; the renderer of markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from markdown_it.common.utils import escapeHtml

from pybuild.markdown.autolinks import addresses
from pybuild.markdown.pyromark.links import Links, Reading, Source, Unfit, WalkedHeading
from pybuild.markdown.renderer import code_block
from pybuild.markdown.source_spans import H1Span

_DEPTH = 20  # of nested constructs; the other parser has a limit of its own
_INLINE = {"Emphasis": "em", "Strong": "strong", "Strikethrough": "s"}


class Inline:
    """What stands in paragraphs, headings and cells."""

    def __init__(self, source: Source, offset: int) -> None:
        self.out: list[str] = []
        self.links = Links(source, offset)
        self._source = source
        self._code: list[str] | None = None  # the text of a block of code
        self._text: list[str] = []  # that is not written yet
        self._end = 0  # of the last text in the source
        self._has_escape = False  # in `_text`
        self._words: list[str] = []  # of the paragraph or heading
        self._fresh = ""  # the tag that was just opened
        self._is_tight = False  # text stands right in an item
        self._is_label = False  # a task's words are being written
        self._depth = 0
        self._alt: list[str] | None = None
        self._images = 0
        self._picture: tuple[str | None, str] = None, ""  # href where it stands there, title
        self._open: list[
            tuple[str | None, int, int]
        ] = []  # links: href, begin of the source, length of passages
        self._after = 0  # where the last inline construct ended

    def _on_text(self, value: str, start: int, end: int) -> None:
        if self._code is not None:
            self._code.append(value)
            return
        length = end - start
        if (self._text and start != self._end) or (len(value) != length and not _is_verbatim(value, length)):
            self._has_escape = True
        self._text.append(value)
        self._end = self._after = end

    def _on_code(self, value: str, start: int, end: int) -> None:
        if self._text:
            self._flush()
        self._words.append(value)
        self._after = end
        if self._alt is not None:
            self._alt.append(value)
            return
        self._inline(f"<code>{escapeHtml(value)}</code>")

    def _soft_break(self, start: int, end: int) -> None:
        self._break("\n")

    def _hard_break(self, start: int, end: int) -> None:
        self._break("<br>\n")

    def _break(self, html: str) -> None:
        if self._text:
            self._flush()
        self._words.append(" ")
        if self._alt is not None:
            self._alt.append("\n")
        else:
            self._inline(html)

    def _inline(self, html: str) -> None:
        if self._text:
            self._flush()
        self._begin_inline()
        self.out.append(html)

    def _begin_inline(self) -> None:
        if self._fresh == "li":
            self._is_tight = True
        self._fresh = ""

    def _flush(self) -> None:
        """Write the text that came, with bare addresses as links. Precondition: there is some."""
        text = self._text[0] if len(self._text) == 1 else "".join(self._text)
        self._text, escaped, self._has_escape = [], self._has_escape, False
        self._words.append(text)
        if self._alt is not None:
            self._alt.append(text)
            return
        self._begin_inline()
        if not self._open and ("://" in text or "www." in text):
            if escaped or "\\" in text:
                raise Unfit
            text = self._linked(text)
        else:
            text = escapeHtml(text)
        self.out.append(text)

    def _linked(self, text: str) -> str:
        """Links at the bare addresses of text. Their line is that of the text's end: it has no line breaks."""
        parts, done, start = [], 0, self._end
        for begin, address, href in addresses(text.replace(self._source.sign, "<"), self._source.md):
            self.links.ask(href, start - 1)
            parts += [escapeHtml(text[done:begin]), f'<a href="\x00">{escapeHtml(address)}</a>']
            done = begin + len(address)
        return "".join([*parts, escapeHtml(text[done:])])

    def _open_inline(self, kind: str, start: int) -> None:
        if self._text:
            self._flush()
        if kind == "Strikethrough" and self._source.data[start : start + 2] != b"~~":
            raise Unfit
        self._deepen()
        if self._alt is None:
            self._inline(f"<{_INLINE[kind]}>")

    def _close_inline(self, kind: str, end: int) -> None:
        if self._text:
            self._flush()
        self._depth -= 1
        self._after = end
        if self._alt is None:
            self._inline(f"</{_INLINE[kind]}>")

    def _deepen(self) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise Unfit

    def _open_link(self, value: dict[str, str], start: int, end: int) -> None:
        if self._text:
            self._flush()
        self._deepen()
        kind = value["link_type"]
        if self._alt is not None:
            raise Unfit
        if kind in ("Autolink", "Email"):
            self._autolink(value["dest_url"], kind, start, end)
            return
        href = self._source.href(value["dest_url"])
        title = f' title="{escapeHtml(value["title"])}"' if value["title"] else ""
        self.links.ask(href, start)
        self._inline(f'<a href="\x00"{title}>')
        self._open.append((href if kind == "Inline" else None, start, end))
        self._after = start + 1

    def _autolink(self, written: str, kind: str, start: int, end: int) -> None:
        """An address between angle brackets; the text within is not what is shown."""
        md = self._source.md
        href = self._source.href(("mailto:" if kind == "Email" else "") + written)
        shown = md.normalizeLinkText(written)
        self.links.ask(href, start)
        self.links.autolink(href, shown, start, end)
        self._inline(f'<a href="\x00">{escapeHtml(shown)}</a>')
        self._words.append(shown)
        self._open.append(("<", len(self.out), len(self._words)))

    def _close_link(self, end: int) -> None:
        href, start, length = self._open[-1]
        if href == "<":
            self._text, self._has_escape = [], False
            del self.out[start:], self._words[length:]
        else:
            self._flush()
            if href is not None:
                self.links.spot(href, self._after, end)
            self._inline("</a>")
        self._open.pop()
        self._depth -= 1
        self._after = end

    def _open_image(self, value: dict[str, str], start: int, end: int) -> None:
        if self._text:
            self._flush()
        self._deepen()
        self._images += 1
        if self._alt is not None:
            return
        self._alt = []
        href = self._source.href(value["dest_url"])
        self.links.ask(href, start, is_image=True)
        self._picture = (href if value["link_type"] == "Inline" else None, value["title"])
        self._after = start + 2

    def _close_image(self, end: int) -> None:
        if self._text:
            self._flush()
        self._depth -= 1
        self._images -= 1
        if self._images:
            self._after = end
            return
        href, title = self._picture
        if href is not None:
            self.links.spot(href, self._after, end)
        alt, self._alt = "".join(self._alt or ()), None
        tail = f' title="{escapeHtml(title)}"' if title else ""
        self._inline(f'<img src="\x00" alt="{escapeHtml(alt)}"{tail}>')
        self._after = end


def _is_verbatim(value: str, length: int) -> bool:
    """Whether the source has the text as it is, in so many bytes."""
    return len(value.encode("utf-8", "surrogatepass")) == length


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
        self.titles: list[H1Span] = []
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
            self.titles.append(H1Span(self._source.line(start), behind, is_atx, not self._top))
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
