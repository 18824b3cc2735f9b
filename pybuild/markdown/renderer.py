"""Markdown to HTML, with what the rest of the program wants to know of a text.

Owns the order: our own blocks are cut out, an engine makes plain HTML of the text, our elements are put in, raw HTML is
cleaned, and one pass finishes the page. Knows no page and no file: links are given to the caller's `resolve`.
Sources: CommonMark 0.31.2; GitHub Flavored Markdown 0.29.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from pybuild.config.schema import Markdown
from pybuild.markdown.blocks import Cut, Words, cut, misplaced, place
from pybuild.markdown.comments import without_split_comments
from pybuild.markdown.directives import Components, Directive, DirectiveTexts, apart
from pybuild.markdown.engines import Engine, engine_of
from pybuild.markdown.finish import Finish, Heading, Resolve, Style, tree
from pybuild.markdown.math import Formulas
from pybuild.markdown.raw_html import (
    cleaned,
    removed,
    shows_tags,
    sign_for,
    with_foreign_tags_shown,
    with_tags_shown,
    with_whole_comments,
    without_tags,
)
from pybuild.markdown.remarks import JSX_TAG, Kind, Remark, foreign_syntax, lost_notes, taken_out

_TRIES = 3  # each finds blocks that hid behind those of the one before
_TAG = re.compile("<[A-Za-z/!?]")
_ESCAPED = re.compile(r"(\\[\\\[{#:.!])")
_INFO = {
    fence: re.compile(
        rf"((?<!{fence[0]}){fence}{fence[0]}*+[ \t]*+)([^\s`]++[ \t]++[^\n`]*[^\s`])(?=[ \t]*$)", re.M
    )
    for fence in ("```", "~~~")
}
_SIDES = {
    f'<{cell} style="text-align: {side}">': f'<{cell} class="align-{side}">'
    for cell in ("th", "td")
    for side in ("left", "center", "right")
}


@dataclass(frozen=True, slots=True)
class MarkdownResult:
    """One text, rendered."""

    html: str
    toc: tuple[Heading, ...]  # level 2 to `toc_depth`, nested
    links: tuple[tuple[str, bool], ...]  # every address in order: encoded, and whether a picture's
    title: str | None  # plain text of the H1
    h1s: tuple[bool, ...]  # for every H1 of the text, whether it is that one; the others are H2 in `html`
    excerpt: str  # plain text: what is above `<!-- more -->`, else the first paragraph
    anchors: tuple[str, ...]  # every id in `html`
    has_hidden_tags: bool = False  # raw HTML was shown as text
    source: str | None = None  # the text for a Markdown variant, where directives make it another one
    unknown: tuple[Directive, ...] = ()  # directives that no component shows
    remarks: tuple[Remark, ...] = ()
    # In order, where `html` has no ids and elements but an engine's own.
    heading_ids: tuple[str, ...] | None = None


class MarkdownRenderer:
    """Renders many texts with one engine. Not for use by two threads at once."""

    def __init__(
        self,
        settings: Markdown,
        *,
        engine: Engine | None = None,
        has_plugins: bool = False,
    ) -> None:
        self._settings = settings
        self._has_plugins = has_plugins
        self._engine = engine or engine_of(settings.engine)

    def render(
        self,
        text: str,
        *,
        resolve: Resolve,
        components: Components | None = None,
        words: Words = str.capitalize,
    ) -> MarkdownResult:
        """Render one text; `components` show its directives, `words` are those of its language."""
        text = _lines(text)
        mark, guard, gap, keep = _free_characters(text)
        shows_all = self._settings.html is False
        sign = sign_for(text, shows_all=shows_all)
        math = Formulas(keep)
        plain = math.cut(text) if self._settings.math else text
        marked = _marked(without_tags(plain, sign, shows_all=shows_all) if sign else plain, guard, gap)
        html, parts = self._with_blocks(marked, mark, gap, words)
        has_hidden_tags = shows_all and bool(sign) and shows_tags(html, sign)
        remarks = foreign_syntax(text, html)
        lost: list[tuple[Kind, str]] = []
        html, notes = place(with_tags_shown(html, sign) if sign else html, parts.blocks, mark, keep)
        if gap in html:
            html = html.replace(gap, " ")
        if "<table>" in html and ' style="text-align' in html:
            for written, shown in _SIDES.items():
                html = html.replace(written, shown)
        if self._settings.html == "safe":
            lost = [name for part in (html, *(note.html for note in notes)) for name in removed(part, text)]
            if any(remark.kind == "jsx" for remark in remarks):
                lost = [one for one in lost if not JSX_TAG.fullmatch(one[1])]
            html = apart(html, keep, lambda part: cleaned(part, text))
            notes = [replace(note, html=cleaned(note.html, text)) for note in notes]
        if math.found:
            html = math.shown(html)
            notes = [replace(note, html=math.shown(note.html)) for note in notes]
            remarks += [Remark("math", formula.written, formula.line) for formula in math.faults]
        page = Finish(html, notes, resolve, guard, Style(words, self._settings.highlight))
        lost += [("address", address) for address in page.refused]
        if lost:
            remarks += taken_out(text, lost)
        if notes or page.unknown_notes:
            remarks += lost_notes(text, page.unknown_notes, notes, page.used_notes)
        is_plain = not (parts.blocks or notes or math.found or self._has_plugins or _TAG.search(text))
        texts = _Shown.of(parts, page.html, keep, components or _NO_COMPONENTS, (guard, gap, sign), math)
        return MarkdownResult(
            html=texts.html,
            toc=tree(
                [heading for heading in page.headings if 2 <= heading.level <= self._settings.toc_depth]
            ),
            links=tuple(page.links),
            title=page.title,
            h1s=page.h1s,
            excerpt=page.excerpt,
            anchors=tuple(page.anchors.ids),
            has_hidden_tags=has_hidden_tags,
            source=texts.source,
            unknown=texts.unknown,
            remarks=tuple(remarks),
            heading_ids=tuple(heading.id for heading in page.headings) if is_plain else None,
        )

    def _with_blocks(self, text: str, mark: str, gap: str, words: Words) -> tuple[str, Cut]:
        """The engine's HTML of a text with comments around our blocks. Blocks it does not see as such stay text."""
        but: set[int] = set()
        for _ in range(_TRIES):
            parts = cut(text, mark, gap, but=but, words=words)
            html = self._plain(parts.text)
            wrong = misplaced(html, parts.blocks, mark)
            if not wrong:
                return html, parts
            but |= wrong
        return self._plain(text), Cut(text)

    def _plain(self, text: str) -> str:
        """The engine's HTML; comments are whole, and where raw HTML is text it has no tag but the engine's own."""
        html = self._engine(text if text.endswith("\n") else text + "\n")
        if "<!--" in text:
            whole = with_whole_comments(html, text)
            if whole != html and (shorter := without_split_comments(text)) != text:
                whole = with_whole_comments(self._engine(shorter + "\n"), shorter)
            html = whole
            html = with_foreign_tags_shown(html) if self._settings.html is False else html
        return html


@dataclass(frozen=True, slots=True)
class _NoComponents:
    """No component at all: the bodies of directives stand alone."""

    names: tuple[str, ...] = ()

    def html(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        return body

    def markdown(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        return body


_NO_COMPONENTS = _NoComponents()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A text with its directives shown."""

    html: str
    source: str | None = None
    unknown: tuple[Directive, ...] = ()

    @staticmethod
    def of(
        parts: Cut, html: str, keep: str, components: Components, marks: tuple[str, str, str], math: Formulas
    ) -> _Shown:
        """`marks` are the characters for what was escaped, for a space, and for a "<"."""
        if not parts.directives or parts.source is None:
            return _Shown(html)

        def plain(text: str) -> str:
            guard, gap, sign = marks
            text = math.written(text.replace(guard, "").replace(gap, " "))
            return text.replace(sign, "<") if sign else text

        shown = DirectiveTexts(parts.directives, components, plain)
        source = plain("\n".join(shown.markdown(parts.source)))
        return _Shown(shown.html(html, keep), source, tuple(shown.unknown()))


def _lines(text: str) -> str:
    """End every line alike; NUL is no text (CommonMark §2.3)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\x00", "\ufffd")


def _free_characters(text: str) -> tuple[str, str, str, str]:
    """Four characters of private use that the text has neither as they are nor as engines write them in addresses."""
    if not ("\ue000" in text or "\ue001" in text or "\ue002" in text or "\ue003" in text or "%EE%80" in text):
        return "\ue000", "\ue001", "\ue002", "\ue003"
    private = map(chr, range(0xE000, 0xF900))
    one, two, three, four, *_ = (char for char in private if char not in text and quote(char) not in text)
    return one, two, three, four


def _marked(text: str, guard: str, gap: str) -> str:
    """Mark what engines do not report: what was escaped, and the words behind a fence's first."""
    if "\\" in text:
        text = _ESCAPED.sub(rf"\1{guard}", text)
    for fence, info in _INFO.items():
        if fence in text:
            text = info.sub(lambda found: found[1] + found[2].replace(" ", gap), text)
    return text
