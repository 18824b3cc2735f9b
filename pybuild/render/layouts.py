"""What is around a page: its layouts, innermost first, and the default layout outside.

Owns the order in which layouts are put around a page, the findings on those that lose it, and the note of where the
finished page holds what each of them is around. A change of a layout leaves that as it was, so the page can be
made from what was published (see `relayout`). Knows no document.
Source: docs/layouts.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.render.context import RenderContext
from pybuild.render.handlers import WHOLE_PAGE
from pybuild.render.job import PageJob
from pybuild.render.page_links import find_text
from pybuild.render.user_code import Stop
from pybuild.source.layouts import LEFT_OUT, read_uses

LAYOUT = "default/layout.html"
Child = tuple[str, int]  # what is inside a layout, and how many files the page has named by then


def in_layouts(
    context: RenderContext,
    page: PageJob,
    values: Mapping[str, Any],
    html: str,
    *,
    blame: Location,
    first: int = 0,
) -> tuple[str, Sequence[Child]]:
    """Put a page into its layouts, but for the `first` innermost; return the HTML and the children of the layouts."""
    layouts = tuple(reversed(page.route.surroundings.layouts))
    children: list[Child] = []
    for number, layout in enumerate(layouts[first:], first):
        if WHOLE_PAGE.match(html):
            raise Stop(_two_documents(layouts[number - 1], layout))
        children.append((html, len(context.library.used)))
        outer = context.templates.render(layout, {**values, "children": Markup(html)}, blame=blame)
        text = html.strip()
        at = find_text(outer, text)
        if at < 0 and (at := outer.find(text)) < 0:
            uses = read_uses(context.config.root, layout)
            blank = {**values, "children": Markup("")}
            if not uses.changes or context.templates.render(layout, blank, blame=blame) == outer:
                raise Stop(_left_out(layout, page, is_everywhere=not uses.shows))
        elif text and (around := _hidden_in(outer[:at])):
            raise Stop(_hidden(layout, around))
        html = outer
    if WHOLE_PAGE.match(html):
        return html, children
    children.append((html, len(context.library.used)))
    return context.templates.render(LAYOUT, {**values, "children": Markup(html)}, blame=blame), children


_HIDING = {
    "<!--": "-->",
    "<template": "</template",
    "<script": "</script",
    "<style": "</style",
    "<textarea": "</textarea",
}


def _hidden_in(before: str) -> str:
    """What is open at the end of some HTML and shows no page within it; "" for nothing."""
    text = before.lower()
    return next((start for start, end in _HIDING.items() if text.rfind(start) > text.rfind(end)), "")


def _hidden(layout: str, around: str) -> Diagnostic:
    what = "a comment" if around == "<!--" else f"{around}>"
    message = (
        f"{layout} writes {{{{ children }}}} inside {what}, so every page inside it would be published empty"
    )
    return Diagnostic("template-error", message, Location(layout, 1), LEFT_OUT)


def _left_out(layout: str, page: PageJob, *, is_everywhere: bool) -> Diagnostic:
    where = "" if is_everywhere else " on a branch that some pages take"
    message = f"{layout} leaves out {{{{ children }}}}{where}, so those pages would be published empty"
    return Diagnostic("template-error", message, Location(layout, 1), LEFT_OUT, (Note(f"so is {page.url}"),))


def _two_documents(inner: str, outer: str) -> Diagnostic:
    message = f"{inner} writes a whole document, and {outer} around it would hold it inside its own"
    hint = f"leave <!doctype>, <html>, <head> and <body> to {outer}, or put the two into route groups side by side"
    return Diagnostic("template-error", message, Location(inner, 1), hint)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a finished page holds what its layouts stand around: pairs of a first and a last character."""

    head: tuple[int, int]
    document: tuple[int, int]
    children: tuple[tuple[int, int, int], ...]  # by layout, innermost first; with the count of assets so far

    @staticmethod
    def read(numbers: Sequence[int]) -> Places:
        """As `numbers` writes them."""
        some = iter(numbers[4:])
        triples = tuple(zip(some, some, some, strict=True))
        return Places((numbers[0], numbers[1]), (numbers[2], numbers[3]), triples)

    @property
    def numbers(self) -> tuple[int, ...]:
        """All in one row."""
        return (*self.head, *self.document, *(number for child in self.children for number in child))


def places_in(page: str, head: str, document: tuple[int, int], children: Iterable[Child]) -> tuple[int, ...]:
    """The numbers of `Places`; none where something does not stand in the page as it was given to the layouts."""
    found = []
    for text, assets in ((head, 0), *children):
        at = find_text(page, text)
        if at < 0:
            return ()
        found.append((at, at + len(text), assets))
    return Places(found[0][:2], document, tuple(found[1:])).numbers if len(found) > 1 else ()
