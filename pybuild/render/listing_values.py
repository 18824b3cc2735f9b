"""What templates of built-in pages get: the documents of a list, the terms, the content of a folder.

Owns the names that these templates see. Source: docs/look.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pybuild.plan import Job
from pybuild.render.around import Crumb
from pybuild.render.documents import DocumentIndex
from pybuild.render.nav_nodes import NavNode
from pybuild.routing.tree import Route
from pybuild.site_files.selection import FEED_FILES
from pybuild.source.navigation import WHOLE, Node
from pybuild.source.site_lists import ListPage, TermKind

_LONG = 155  # characters of a description that search engines show
TEMPLATES = {
    "home": "default/home.html",
    "folders": "default/folder.html",
    "list": "default/list.html",
    "terms": "default/list.html",
    "all_terms": "default/terms.html",
}


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of a list."""

    number: int
    url: str  # as browsers are given it


@dataclass(frozen=True, slots=True)
class PaginationView:
    """What templates see as `pagination`."""

    number: int
    total: int
    prev: int | None
    next: int | None
    links: tuple[PageLink, ...]  # the pages to link to
    all: tuple[PageLink, ...]  # every page, on the first one of a list that is not too long


@dataclass(frozen=True, slots=True)
class TermView:
    """A tag or an author with its page."""

    name: str
    url: str
    count: int


@dataclass(frozen=True, slots=True)
class Card:
    """A collection on the home page."""

    label: str
    url: str
    description: str
    count: int  # documents


@dataclass(frozen=True, slots=True)
class Listed:
    """A built-in page: its template, its title, and what the template gets."""

    template: str
    title: str
    values: Mapping[str, Any]
    description: str = ""
    collection: str = ""
    is_home: bool = False
    feed: str = ""  # decoded URL of the feed of a term


def listed(library: DocumentIndex, route: Route, job: Job) -> Listed:
    """What a built-in page shows."""
    listing = route.listing
    assert listing is not None, "only built-in routes are listed"
    if listing.kind == "home":
        return _home(library)
    if listing.kind == "folders":
        return _folder(library, listing.collection, job.url)
    if listing.kind == "terms" and not job.params:
        return _all_terms(library, listing.collection, cast(TermKind, listing.term))
    return _list(library, route, job)


def _home(library: DocumentIndex) -> Listed:
    site, href = library.config.site, library.links.href
    cards = []
    for section in library.lists.sections(library.locale):
        documents = library.collections[section.name]
        index = documents.get("")
        description = index.description if index else ""
        cards.append(Card(section.label, href(section.url), description, len(documents)))
    known = library.lists.newest(library.locale)
    newest = [library.collections[name].numbered(number) for name, number in known]
    values = {"collections_shown": cards, "newest": newest}
    description = site.description or _of_titles(card.label for card in cards)
    return Listed(TEMPLATES["home"], site.title, values, description, is_home=True)


def _of_titles(titles: Iterable[str]) -> str:
    """What a page says of itself that lists these: the first of them."""
    said = ""
    for title in titles:
        longer = f"{said} · {title}" if said else title
        if said and len(longer) > _LONG:
            break
        said = longer
    return said


def _folder(library: DocumentIndex, name: str, url: str) -> Listed:
    label, nodes = library.lists.folder(name, url)
    owner = library.collections[name]
    shown = nodes
    if sum(node.size for node in nodes) > WHOLE:
        shown = tuple(Node(node.title, node.url, (), node.entry, node.href) for node in nodes)
    values = {"nodes": [NavNode(node, owner) for node in shown]}
    said = _of_titles(node.title for node in nodes)
    return Listed(TEMPLATES["folders"], label, values, said, collection=name)


def _all_terms(library: DocumentIndex, name: str, kind: TermKind) -> Listed:
    href = library.links.href
    terms = [
        TermView(term.name, href(library.lists.term_url(name, kind, term.name)), len(term.entries))
        for term in library.lists.terms(name, kind).values()
    ]
    title = library.words(kind)
    said = _of_titles(term.name for term in terms)
    return Listed(TEMPLATES["all_terms"], title, {"terms": terms}, said, collection=name)


def _list(library: DocumentIndex, route: Route, job: Job) -> Listed:
    page = library.lists.list_page(route, job.url, job.params)
    title = page.term.name if page.term else library.lists.label(page.collection)
    if page.number > 1:
        pattern = library.words("titled_page")
        title = pattern.format(title=title, number=page.number)
    has_feed = library.config.settings.collections[page.collection].feed
    is_tag = page.term is not None and route.listing is not None and route.listing.term == "tags"
    feed = f"{page.base}/{FEED_FILES['rss'].path}" if is_tag and has_feed else ""
    shown = list_values(library, page)
    values = {
        **shown,
        "description": "",
        "feed": library.links.href(feed) if feed else "",
        "term": page.term.name if page.term else "",
    }
    said = _of_titles(document.title for document in shown["listing"])
    return Listed(TEMPLATES["list"], title, values, said, collection=page.collection, feed=feed)


def list_values(library: DocumentIndex, page: ListPage) -> dict[str, Any]:
    """`listing` and `pagination` of one page of a list."""
    documents = library.collections[page.collection]

    def links(numbers: Any) -> tuple[PageLink, ...]:
        return tuple(PageLink(number, library.links.href(page.url(number))) for number in numbers)

    pagination = PaginationView(
        page.number,
        page.total,
        page.number - 1 if page.number > 1 else None,
        page.number + 1 if page.number < page.total else None,
        links(page.linked),
        links(page.all_numbers),
    )
    href = library.links.href
    terms = [Crumb(library.words(kind), href(url)) for kind, url in library.lists.term_pages(page.collection)]
    listing = [documents.numbered(number) for number in page.numbers]
    return {"listing": listing, "pagination": pagination, "term_pages": terms}
