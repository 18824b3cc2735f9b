"""Markdown by a native parser, where it gives the same as `render.markdown`; everything else goes there.

Owns the decision which texts the native parser may read, and the result that is made of a walk over its events.
Source of truth: `pybuild.markdown.renderer`, whose results these are, byte for byte.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pyromark
from markdown_it.common.utils import escapeHtml

from pybuild.config.loader import Markdown
from pybuild.markdown.heading_ids import Anchors, slug
from pybuild.markdown.pyromark.events import Walk
from pybuild.markdown.pyromark.fast_path import Unclear, read
from pybuild.markdown.pyromark.links import Reading, Source, Unfit, WalkedHeading
from pybuild.markdown.renderer import (
    Heading,
    MarkdownRenderer,
    MarkdownResult,
    Resolve,
    make_parser,
    shortened,
    tree,
)
from pybuild.markdown.source_spans import SourceMap

_EXTENSIONS = (
    pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH | pyromark.Options.ENABLE_TASKLISTS
)
# Footnotes, alerts, definition lists, admonitions: markdown-it's own extensions.
_OTHERS = re.compile(r"\n[ \t>*+\-0-9.)]*(?:[:~][ \t]|!!!|\?\?\?|:::|\\\|)")
_HEADING_TAG = re.compile("<(/?)h[1-6]>")
_AUTOLINK = r"[A-Za-z][A-Za-z0-9+.\-]{1,31}:[^\s<>]*>|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-]+@[A-Za-z0-9.\-]+>"
_TAG = re.compile(rf"<(?<!\\<)(?!{_AUTOLINK})")
_NEAR = 100  # characters within which a destination follows its "("
_SIGNS = "※⁂‽⸮"  # punctuation that stands for "<", so that no text is read as HTML


class NativeRenderer:
    """Renders many texts. Not for use by two threads at once."""

    def __init__(self, settings: Markdown, *, permalink: str = "Permalink") -> None:
        """As `MarkdownRenderer`."""
        self._parser = pyromark.Markdown(options=_EXTENSIONS)
        self._settings = settings
        self._permalink = permalink
        self._other = MarkdownRenderer(settings, permalink=permalink)
        self._md = make_parser(html=False)

    def render(self, text: str, *, resolve: Resolve, line_offset: int = 0) -> MarkdownResult:
        """As `MarkdownRenderer.render`."""
        sign = self._sign(text)
        if sign:
            try:
                reading = self._read(text, sign, line_offset)
            except Unfit:
                pass
            else:
                return self._result(reading, sign, [resolve(*one) for one in reading.asked])
        return self._other.render(text, resolve=resolve, line_offset=line_offset)

    def _sign(self, text: str) -> str:
        """What stands for "<"; "" where the text has what only the other parser reads."""
        is_others = "[^" in text or "[!" in text or _OTHERS.search(text) or _OTHERS.match("\n" + text[:_NEAR])
        if is_others or "\x00" in text or (self._settings.html and "<" in text):
            return ""
        return next((sign for sign in _SIGNS if sign not in text), "")

    def _read(self, text: str, sign: str, offset: int) -> Reading:
        marked = (
            _TAG.sub(lambda found: "<" if _is_destination(found) else sign, text) if "<" in text else text
        )
        source = Source(marked, sign, self._md)
        with contextlib.suppress(Unclear):
            html = self._parser.html(marked)
            return read(source, html, offset, is_highlighted=self._settings.highlight)
        walk = Walk(source, offset, is_highlighted=self._settings.highlight)
        walk.run(self._parser.events_with_range(marked))
        if "]:" in marked:
            walk.links.define(self._parser.reference_definitions(marked))
        return walk.reading()

    def _result(self, reading: Reading, sign: str, resolved: list[str]) -> MarkdownResult:
        anchors = Anchors()
        found = list(_claimed(reading.headings, anchors))
        html = self._anchored(reading.html, found) if found else reading.html
        if resolved:
            parts = html.split("\x00")
            html = "".join(
                part for pair in zip(parts, [*map(escapeHtml, resolved), ""], strict=True) for part in pair
            )
        return MarkdownResult(
            html=html.replace(sign, "&lt;"),
            toc=tree([heading for heading in found if 2 <= heading.level <= self._settings.toc_depth]),
            links=tuple(reading.found),
            title=next((heading.text for heading in found if heading.level == 1), None),
            has_h1=reading.has_h1,
            excerpt=shortened(reading.excerpt),
            anchors=tuple(anchors.ids),
            outline=SourceMap(tuple(reading.passages), tuple(reading.titles)),
        )

    def _anchored(self, html: str, headings: list[Heading]) -> str:
        """Give every heading its id and a link to itself."""
        each, own = iter(headings), headings[0]

        def tag(found: re.Match[str]) -> str:
            nonlocal own
            if not found[1]:
                own = next(each)
                return f'<h{own.level} id="{escapeHtml(own.id)}">'
            label = escapeHtml(f"{self._permalink}: {own.text}" if own.text else self._permalink)
            return (
                f' <a class="anchor" href="#{escapeHtml(own.id)}" aria-label="{label}">#</a></h{own.level}>'
            )

        return _HEADING_TAG.sub(tag, html)


def _claimed(headings: list[WalkedHeading], anchors: Anchors) -> Iterator[Heading]:
    """The headings with their ids. A `{#id}` at the end of one is preferred to its slug."""
    given = {i: anchors.claim(one.custom) for i, one in enumerate(headings) if one.custom}
    for i, one in enumerate(headings):
        yield Heading(given.get(i) or anchors.claim(slug(one.text)), one.text, one.level)


def _is_destination(found: re.Match[str]) -> bool:
    """Whether a "<" opens the destination of a link or of a definition."""
    before = found.string[max(0, found.start() - _NEAR) : found.start()].rstrip()
    return before.endswith(("](", "]:"))
