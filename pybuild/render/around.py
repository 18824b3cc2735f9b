"""What is around a page: its neighbours and parents in the tree, its terms, and related documents.

Owns `Around`, which templates read through `page`; each answer is computed when it is asked for.
Source: docs/navigation.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from pybuild.render.documents import Document, DocumentIndex
from pybuild.render.nav_nodes import NavNode
from pybuild.source.lists import terms_of
from pybuild.source.site_lists import SiteLists, TermKind


@dataclass(frozen=True, slots=True)
class Crumb:
    """A page above another one."""

    title: str
    url: str  # as browsers are given it; "" for a folder without a page


@dataclass(frozen=True, slots=True)
class NamedLink:
    """A tag or an author."""

    name: str
    url: str  # "" where it has no page


class Around:
    """The surroundings of one page."""

    def __init__(self, library: DocumentIndex, url: str, collection: str, document: Document | None) -> None:
        """`url` is decoded; `collection` is "" for a page of none."""
        self._library = library
        self._url = url
        self._name = collection
        self._document = document

    @property
    def collection(self) -> str:
        """The name of its collection in its language."""
        return self._name

    @property
    def lists(self) -> SiteLists:
        return self._library.lists

    @cached_property
    def neighbours(self) -> tuple[NavNode | None, NavNode | None]:
        """What comes before and after it."""
        if not self._name:
            return None, None
        owner = self._library.collections[self._name]
        before, after = self.lists.navigation(self._name).neighbours(self._url)
        return NavNode(before, owner) if before else None, NavNode(after, owner) if after else None

    @cached_property
    def parents(self) -> tuple[NavNode, ...]:
        """The folders around it, outermost first."""
        if not self._name:
            return ()
        owner = self._library.collections[self._name]
        return tuple(NavNode(node, owner) for node in self.lists.navigation(self._name).parents(self._url))

    @cached_property
    def breadcrumb(self) -> tuple[Crumb, ...]:
        """Its collection and the folders around it, but itself."""
        href = self._library.links.href
        known = self.lists.sections(self._library.locale)
        section = next((s for s in known if s.name == self._name), None)
        above = [Crumb(section.label, href(section.url))] if section and section.url != self._url else []
        return (*above, *(Crumb(node.title, node.url) for node in self.parents if section))

    @property
    def terms(self) -> tuple[NamedLink, ...]:
        """Its tags."""
        return tuple(self._named("tags"))

    @property
    def authors(self) -> tuple[NamedLink, ...]:
        return tuple(self._named("authors"))

    def _named(self, kind: TermKind) -> Iterator[NamedLink]:
        for name in terms_of(self._document.entry, kind) if self._document else ():
            url = self.lists.term_url(self._name, kind, name) if self._name else ""
            yield NamedLink(name, self._library.links.href(url) if url else "")

    @cached_property
    def related(self) -> list[Document]:
        """Documents that share tags with it."""
        if not (self._name and self._document and self._document.tags):
            return []
        owner = self._library.collections[self._name]
        own = owner.get(self._document.slug)
        if own is None or own.entry.is_fallback:
            return []
        return [owner.numbered(number) for number in self.lists.related(self._name, own.index)]

    @property
    def edit(self) -> str:
        """Where its source can be edited; "" where nothing says so."""
        address = self._library.links.config.settings.theme.edit
        if not (address and self._document):
            return ""
        return address.replace("{file}", quote(self._document.entry.file))
