"""What pages show of other pages: trees, sections, terms, lists and related documents, computed once a process.

Owns which documents a page shows, and the digest of what it shows: rendering and the cache ask the same object.
Pure; knows no template.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Container
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, Protocol, cast

from pybuild.config.loader import Config
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Listing, Route
from pybuild.source.built_in import TERMS, term_pattern
from pybuild.source.document import Entry
from pybuild.source.lists import Tagged, Term, linked_numbers, list_order, newest, read_terms, terms_of
from pybuild.source.navigation import Navigation, Node, folder_label

NEWEST = 10  # documents on the home page
EVERY_PAGE = 400  # pages of a list that its first page may name
TermKind = Literal["tags", "authors"]
_KINDS = cast("tuple[TermKind, ...]", TERMS)


@dataclass(frozen=True, slots=True)
class Section:
    """One collection, as the header names it."""

    name: str
    label: str
    url: str  # decoded


@dataclass(frozen=True, slots=True)
class ListPage:
    """What one page of a list shows."""

    collection: str
    numbers: tuple[int, ...]  # of the documents
    number: int
    total: int
    base: str  # decoded URL of the first page
    term: Term | None = None

    def url(self, number: int) -> str:
        """The decoded URL of another page of the list."""
        return self.base if number == 1 else f"{self.base.rstrip('/')}/page/{number}"

    @property
    def linked(self) -> list[int]:
        """The numbers of the pages that this one links to."""
        return linked_numbers(self.number, self.total)

    @property
    def all_numbers(self) -> range:
        """The numbers of all pages where the first names them, so that each document is near."""
        shown = self.number == 1 and len(self.linked) < self.total <= EVERY_PAGE
        return range(1, self.total + 1) if shown else range(0)


class KeptLists(Protocol):
    """What an earlier export knew of the same lists."""

    @property
    def sections(self) -> Mapping[str, tuple[Section, ...]]:
        """The collections of each language that have documents."""

    def navigation(self, name: str, make: Callable[[], Navigation]) -> Navigation:
        """The tree of a collection; `make` makes it of all documents."""


class SiteLists:
    """The lists of one site."""

    def __init__(
        self,
        config: Config,
        collections: Mapping[str, Sequence[Entry]],
        bases: Mapping[str, str],
        pages: Container[str],
        kept: KeptLists | None = None,
    ) -> None:
        """`bases` are the decoded URLs of collections, `pages` those of all pages."""
        self._kept = kept
        self._config = config
        self._collections = collections
        self._bases = bases
        self._pages = pages
        self._navigations: dict[str, Navigation] = {}
        self._terms: dict[tuple[str, str], dict[str, Term]] = {}
        self._orders: dict[str, list[int]] = {}
        self._headers: dict[str, str] = {}
        self._patterns: dict[tuple[str, TermKind], Pattern | None] = {}
        self._tagged: dict[str, Tagged] = {}
        self._slugs: dict[tuple[str, TermKind], dict[str, Term]] = {}

    def entries(self, name: str) -> Sequence[Entry]:
        """The documents of a collection, sorted by path."""
        return self._collections[name]

    def navigation(self, name: str) -> Navigation:
        """The tree of a collection."""
        if name not in self._navigations:
            make = partial(self._navigation, name)
            self._navigations[name] = self._kept.navigation(name, make) if self._kept else make()
        return self._navigations[name]

    def _navigation(self, name: str) -> Navigation:
        settings = self._config.settings.collections[name]
        order = self.order(name) if settings.list else None
        return Navigation(self._collections[name], self._bases[name], self._pages, settings.nav, order)

    def has_tree(self, name: str) -> bool:
        """Whether the pages of a collection show its tree: not those of a list, which has pages of its own."""
        settings = self._config.settings.collections.get(name)
        return settings is not None and (bool(settings.nav) or not settings.list)

    def order(self, name: str) -> list[int]:
        """The documents of a collection in the order of its list."""
        if name not in self._orders:
            found = list_order(self._collections[name], self._config.settings.collections[name])
            self._orders[name] = found
        return self._orders[name]

    @cached_property
    def _sections(self) -> Mapping[str, tuple[Section, ...]]:
        if self._kept:
            return self._kept.sections
        found: dict[str, tuple[Section, ...]] = {}
        for name in self._bases:
            if self._collections[name]:
                locale = self._config.settings.collections[name].locale
                own = Section(name, self.label(name), self._root(name))
                found[locale] = (*found.get(locale, ()), own)
        return found

    def sections(self, locale: str) -> tuple[Section, ...]:
        """The collections of a language that have documents, in the order of the settings."""
        return self._sections.get(locale, ())

    def label(self, name: str) -> str:
        """The title of a collection."""
        settings = self._config.settings.collections[name]
        return settings.title or folder_label(settings.base_name)

    def _root(self, name: str) -> str:
        """The page of a collection, else its first document."""
        base = self._bases[name]
        if base in self._pages and base != "/":
            return base
        entries = self._collections[name]
        index = next((entry.url for entry in entries if not entry.slug), "")
        first = next(iter(self.navigation(name).sequence), None)
        return index or (first.url if first else entries[0].url)

    def terms(self, name: str, kind: TermKind) -> dict[str, Term]:
        """The terms of a collection by their names in small letters."""
        if (name, kind) not in self._terms:
            settings = self._config.settings.collections[name]
            found = read_terms(self._collections[name], settings, kind)[0]
            self._terms[name, kind] = {term.name.casefold(): term for term in found}
        return self._terms[name, kind]

    def term_url(self, name: str, kind: TermKind, term: str) -> str:
        """The decoded URL of the page of a term; "" where it has none."""
        pattern = self._pattern(name, kind)
        found = self.terms(name, kind).get(term.casefold()) if pattern else None
        if pattern is None or found is None:
            return ""
        url = pattern.fill({pattern.params[0]: found.slug})
        return url if url in self._pages else ""

    def _pattern(self, name: str, kind: TermKind) -> Pattern | None:
        """The addresses of the pages of terms; None where they have none."""
        if (name, kind) not in self._patterns:
            settings = self._config.settings.collections.get(name)
            found = term_pattern(settings, kind) if settings and getattr(settings, kind) else None
            self._patterns[name, kind] = found if isinstance(found, Pattern) else None
        return self._patterns[name, kind]

    def term_pages(self, name: str) -> list[tuple[TermKind, str]]:
        """The pages that list all tags and all authors: kind and decoded URL."""
        found = list[tuple[TermKind, str]]()
        for kind in _KINDS:
            if pattern := self._pattern(name, kind):
                url = Pattern(pattern.segments[:-1]).fill({})
                found += [(kind, url)] if url in self._pages else []
        return found

    def related(self, name: str, number: int) -> list[int]:
        """The documents that share tags with one."""
        if not self._collections[name][number].tags:
            return []
        if name not in self._tagged:
            self._tagged[name] = Tagged(self._collections[name])
        return self._tagged[name].related(number)

    def newest(self, locale: str) -> list[tuple[str, int]]:
        """The newest documents in a language: collection and number."""
        known = self._config.settings.collections
        own = {name: found for name, found in self._collections.items() if known[name].locale == locale}
        return newest(own, NEWEST)

    def list_page(self, route: Route, url: str, params: Sequence[tuple[str, object]]) -> ListPage:
        """What a page of a list or of a term shows."""
        listing = cast(Listing, route.listing)
        given = dict(params)
        number = int(str(given.get("page", 1)))
        base = url.removesuffix(f"/page/{number}") if number > 1 else url
        if listing.kind == "list":
            return self._list_page(listing.collection, self.order(listing.collection), number, base or "/")
        slug = str(given[route.pattern.params[0]])
        known = listing.collection, cast(TermKind, listing.term)
        if known not in self._slugs:
            self._slugs[known] = {term.slug: term for term in self.terms(*known).values()}
        term = self._slugs[known][slug]
        return self._list_page(listing.collection, term.entries, number, base, term)

    def index_page(self, name: str) -> ListPage:
        """The first page of a list that an index document begins."""
        return self._list_page(name, self.order(name), 1, self._bases[name])

    def _list_page(
        self, name: str, numbers: Sequence[int], number: int, base: str, term: Term | None = None
    ) -> ListPage:
        size = self._config.settings.collections[name].per_page
        total = max(1, -(-len(numbers) // size))
        chosen = tuple(numbers[(number - 1) * size : number * size])
        return ListPage(name, chosen, number, total, base, term)

    def folder(self, name: str, url: str) -> tuple[str, tuple[Node, ...]]:
        """The label and the content of a folder of a collection, by its decoded URL."""
        tree = self.navigation(name)
        if url == self._bases[name]:
            return self.label(name), tree.roots
        nodes: list[Node] = list(tree.roots)
        while nodes:
            node = nodes.pop()
            if node.url == url:
                return node.title, node.children
            nodes += node.children
        return folder_label(url.rpartition("/")[2]), tree.inside(url)

    def page_digest(self, name: str, number: int, url: str, locale: str = "") -> str:
        """A digest of all that the page of a document may show of others; `number` is -1 for one without a document."""
        if not name:
            return _digest(self._header(locale))
        near = self._near(name, number) if number >= 0 else ()
        return _digest(f"{self._header(locale)}{self.navigation(name).digest(url)}{near}")

    def _header(self, locale: str) -> str:
        """What every page of a language shows of the site."""
        if locale not in self._headers:
            sections = [(section.label, section.url) for section in self.sections(locale)]
            icon = (self._config.root / "public" / "favicon.ico").is_file()
            self._headers[locale] = repr((sections, icon))
        return self._headers[locale]

    def _near(self, name: str, number: int) -> list[object]:
        entries = self._collections[name]
        entry = entries[number]
        urls = [self.term_url(name, kind, term) for kind in _KINDS for term in terms_of(entry, kind)]
        near = [(entries[other].title, entries[other].url) for other in self.related(name, number)]
        listed = not entry.slug and self._config.settings.collections[name].list
        return [urls, near, self.list_digest(self.index_page(name)) if listed else ""]

    def list_digest(self, page: ListPage) -> str:
        """A digest of what a page of a list shows besides its documents."""
        return _digest(repr((page.total, page.term and page.term.name, self.term_pages(page.collection))))

    def terms_digest(self, name: str, kind: TermKind) -> str:
        """A digest of the page of all terms."""
        terms = self.terms(name, kind).values()
        return _digest(repr([(term.name, term.slug, len(term.entries)) for term in terms]))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
