"""Inline constructs of natively parsed Markdown, as the HTML of `render.markdown`.

Owns text, emphasis, code, links and images. In the HTML NUL stands for the destination of a link, and a sign of
punctuation for "<". Raises `Unfit` at what the two parsers read differently.
Source of truth: CommonMark 0.31.2 §6; pulldown-cmark's events; the renderer of markdown-it.
"""

from __future__ import annotations

from markdown_it.common.utils import escapeHtml

from pybuild.render.autolinks import addresses
from pybuild.render.nativelinks import Links, Source, Unfit

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
