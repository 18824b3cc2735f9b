"""Markdown by a native parser, where it gives the same as `render.markdown`; everything else goes there.

Owns the decision which texts the native parser may read, and the result that is made of a walk over its events.
Source of truth: `pybuild.render.markdown`, whose results these are, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyromark
from markdown_it.common.utils import escapeHtml

from pybuild.config import Markdown
from pybuild.render.markdown import (
    Heading,
    MarkdownRenderer,
    MarkdownResult,
    Resolve,
    make_parser,
    shortened,
    tree,
)
from pybuild.render.nativelinks import Source, Unfit
from pybuild.render.nativewalk import Walk
from pybuild.render.outline import Outline, Title
from pybuild.render.slugs import Anchors, slug

_EXTENSIONS = (
    pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH | pyromark.Options.ENABLE_TASKLISTS
)
# Footnotes, alerts, definition lists, admonitions: markdown-it's own extensions.
_OTHERS = re.compile(r"\[[\^!]|^[ \t>*+\-0-9.)]*(?:[:~][ \t]|!!!|\?\?\?|:::|\\\|)", re.M)
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
            asked: list[tuple[str, int, bool]] = []
            try:
                walk = self._walk(text, sign, asked, line_offset)
            except Unfit:
                pass
            else:
                return self._result(walk, sign, [resolve(*one) for one in asked])
        return self._other.render(text, resolve=resolve, line_offset=line_offset)

    def _sign(self, text: str) -> str:
        """What stands for "<"; "" where the text has what only the other parser reads."""
        if _OTHERS.search(text) or "\x00" in text or (self._settings.html and "<" in text):
            return ""
        return next((sign for sign in _SIGNS if sign not in text), "")

    def _walk(self, text: str, sign: str, asked: list[tuple[str, int, bool]], offset: int) -> Walk:
        marked = (
            _TAG.sub(lambda found: "<" if _is_destination(found) else sign, text) if "<" in text else text
        )
        walk = Walk(Source(marked, sign, self._md), asked, offset, is_highlighted=self._settings.highlight)
        walk.run(self._parser.events_with_range(marked))
        if "]:" in marked:
            walk.links.define(self._parser.reference_definitions(marked))
        return walk

    def _result(self, walk: Walk, sign: str, resolved: list[str]) -> MarkdownResult:
        anchors = Anchors()
        found = list(self._anchored(walk, anchors))
        html = "".join(walk.out)
        if resolved:
            parts = html.split("\x00")
            html = "".join(
                part for pair in zip(parts, [*map(escapeHtml, resolved), ""], strict=True) for part in pair
            )
        titles = [heading.text for heading in walk.headings if heading.level == 1]
        return MarkdownResult(
            html=html.replace(sign, "&lt;"),
            toc=tree([heading for heading in found if 2 <= heading.level <= self._settings.toc_depth]),
            links=tuple(walk.links.found),
            title=titles[0] if titles else None,
            has_h1=walk.has_h1,
            excerpt=shortened(walk.excerpt),
            anchors=tuple(anchors.ids),
            outline=Outline(tuple(walk.links.passages), tuple(_titles(walk))),
        )

    def _anchored(self, walk: Walk, anchors: Anchors) -> Iterator[Heading]:
        """Give every heading its id, in the HTML too. A `{#id}` at its end is preferred to its slug."""
        given = {i: anchors.claim(one.custom) for i, one in enumerate(walk.headings) if one.custom}
        for i, one in enumerate(walk.headings):
            ident = given.get(i) or anchors.claim(slug(one.text))
            label = escapeHtml(f"{self._permalink}: {one.text}" if one.text else self._permalink)
            walk.out[one.begin] = f'<h{one.level} id="{escapeHtml(ident)}">'
            walk.out[one.end] = f' <a class="anchor" href="#{escapeHtml(ident)}" aria-label="{label}">#</a>'
            yield Heading(ident, one.text, one.level)


def _is_destination(found: re.Match[str]) -> bool:
    """Whether a "<" opens the destination of a link or of a definition."""
    before = found.string[max(0, found.start() - _NEAR) : found.start()].rstrip()
    return before.endswith(("](", "]:"))


def _titles(walk: Walk) -> Iterator[Title]:
    for one in walk.headings:
        if one.level == 1:
            yield Title(one.line, one.last + 1, one.is_atx, one.is_top)
