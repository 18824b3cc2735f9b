"""Navigation: the documents of a collection as a tree, in the order in which they are read.

Owns the order of documents, the labels of folders, what comes before and after a document, and the part of the
tree that one page shows. Pure; knows no template and no HTML.
Source: docs/navigation.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Container
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pybuild.config.schema import NavItem
from pybuild.diagnostics import Diagnostic
from pybuild.source.document import Entry

PRUNED = 200  # entries a page may list; of larger trees it shows the top level and its own branch
FOLDED = 100  # entries above which folders that have a page of their own are shown without their content
WHOLE = 2000  # entries that the page of a folder lists in any case, so that each is one click away
AROUND = 40  # documents before and after the current one, where a folder holds too many to list
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of the tree: a document, a folder, or a link."""

    title: str
    url: str = ""  # decoded; "" for a folder without a page
    children: tuple[Node, ...] = ()
    entry: int = -1  # index of its document in the collection
    href: str = ""  # a link of the settings, as written
    more: int = 0  # children that are left out

    @property
    def size(self) -> int:
        return 1 + sum(child.size for child in self.children)


@dataclass(frozen=True, slots=True)
class View:
    """What one page shows of the tree."""

    nodes: tuple[Node, ...]
    open: frozenset[str]  # URLs of the folders around the page
    digest: str


@dataclass
class _Folder:
    name: str = ""
    path: str = ""  # slug of the folder
    entry: int = -1
    documents: list[int] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)


class Navigation:
    """The tree of one collection."""

    def __init__(
        self,
        entries: Sequence[Entry],
        base: str,
        pages: Container[str],
        items: Sequence[NavItem] = (),
        order: Sequence[int] | None = None,
    ) -> None:
        """`base` is the decoded URL of the collection, `pages` are those of the site, `items` the settings.

        `order` are the documents of a list, which are read in its order.
        """
        self._order_of_list = order
        self._base = base.rstrip("/")
        self._pages = pages
        self._folders: dict[str, _Folder] = {}
        self._by_slug: dict[str, Node] = {}
        self._views: dict[tuple[Any, ...], View] = {}
        root = self._folders[""] = _Folder()  # the documents are sorted into folders
        self._hidden: set[int] = set()
        for number, entry in enumerate(entries):
            if entry.meta.get("nav") is False:
                self._hidden.add(number)
            folder = self._folder(entry.slug.rpartition("/")[0])
            if entry.slug:
                folder.documents.append(number)
            else:
                root.entry = number
        said = self._said = dict(_shown(entries))
        nodes = self._nodes(root, said)
        self.roots = tuple(self._of_settings(items)) if items else nodes

    def _folder(self, path: str) -> _Folder:
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            found = self._folders[path] = _Folder(name, path)
            self._folder(above).folders[name] = found
        return self._folders[path]

    def _nodes(self, folder: _Folder, entries: Mapping[int, _Said]) -> tuple[Node, ...]:
        """The content of a folder, sorted; a document named like a folder is the folder's own."""
        found: list[tuple[tuple[Any, ...], Node]] = []
        own = {entries[number].slug: number for number in folder.documents}
        for name, inner in folder.folders.items():
            number = own.pop(inner.path, -1)
            inner.entry = number
            children = self._nodes(inner, entries)
            said = entries[number] if number >= 0 else None
            if said and number in self._hidden and not children:
                continue
            if not said and not children:
                continue
            url = said.url if said else self._page_of(inner.path)
            node = Node(said.label if said else folder_label(name), url, children, number)
            found.append((_order(said, name, inner.path), node))
            self._by_slug[inner.path] = node
        for slug, number in own.items():
            said = entries[number]
            node = Node(said.label, said.url, entry=number)
            self._by_slug[slug] = node
            if number not in self._hidden:
                found.append((_order(said, slug.rpartition("/")[2], slug), node))
        nodes = tuple(node for _, node in sorted(found, key=lambda pair: pair[0]))
        if folder.path == "" and folder.entry >= 0:
            said = entries[folder.entry]
            first = Node(said.label, said.url, entry=folder.entry)
            self._by_slug[""] = first
            return nodes if folder.entry in self._hidden else (first, *nodes)
        return nodes

    def _page_of(self, path: str) -> str:
        url = f"{self._base}/{path}"
        return url if url in self._pages else ""

    def _of_settings(self, items: Sequence[NavItem]) -> Iterator[Node]:
        """The tree that the settings write; what they name and is not published is left out."""
        for item in items:
            if item.items:
                yield Node(item.label, children=tuple(self._of_settings(item.items)))
            elif item.url:
                yield Node(item.label or item.url, href=item.url)
            elif item.slug.endswith("/") and (node := self._by_slug.get(item.slug.strip("/"))):
                yield replace(node, title=item.label or node.title)
            elif node := self._by_slug.get(slug_of_item(item.slug)):
                yield replace(node, title=item.label or node.title, children=())

    def inside(self, url: str) -> tuple[Node, ...]:
        """The content of a folder that a menu of the settings leaves out."""
        node = self._by_slug.get(url.removeprefix(self._base).strip("/"))
        return node.children if node else ()

    @cached_property
    def _by_url(self) -> dict[str, Node]:
        """The node of each URL of the tree; of two the one that `parents` leads to."""
        found: dict[str, Node] = {}

        def visit(nodes: tuple[Node, ...]) -> None:
            for node in nodes:
                if node.url:
                    found.setdefault(node.url, node)
                visit(node.children)

        visit(self.roots)
        return found

    @cached_property
    def _places(self) -> dict[str, tuple[Node, ...]]:
        """For each URL of the tree the nodes around it, outermost first."""
        found: dict[str, tuple[Node, ...]] = {}

        def visit(nodes: tuple[Node, ...], above: tuple[Node, ...]) -> None:
            for node in nodes:
                if node.url:
                    found.setdefault(node.url, above)
                visit(node.children, (*above, node))

        visit(self.roots, ())
        return found

    @cached_property
    def sequence(self) -> tuple[Node, ...]:
        """The documents in the order in which they are read, each once."""
        if self._order_of_list is not None:
            listed = (self._said[n] for n in self._order_of_list if n not in self._hidden)
            return tuple(Node(said.label, said.url) for said in listed)
        found: dict[str, Node] = {}

        def visit(nodes: tuple[Node, ...]) -> None:
            for node in nodes:
                if node.entry >= 0 and node.entry not in self._hidden:
                    found.setdefault(node.url, node)
                visit(node.children)

        visit(self.roots)
        return tuple(found.values())

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {node.url: rank for rank, node in enumerate(self.sequence)}

    def rank(self, url: str) -> int:
        """The place of a page in the order of reading; behind all for one that is in no menu."""
        return self._ranks.get(url, len(self.sequence))

    def parents(self, url: str) -> tuple[Node, ...]:
        """The nodes around a page, outermost first."""
        return self._places.get(url, ())

    def neighbours(self, url: str) -> tuple[Node | None, Node | None]:
        """What comes before and after a page in the order of reading."""
        rank = self._ranks.get(url)
        if rank is None:
            return None, None
        last = len(self.sequence) - 1
        return self.sequence[rank - 1] if rank else None, self.sequence[rank + 1] if rank < last else None

    @cached_property
    def _lists_itself(self) -> bool:
        """Whether the page of the collection is that of a folder without a document, whose text is the tree."""
        return self._folders[""].entry < 0 and self._order_of_list is None

    @cached_property
    def size(self) -> int:
        return sum(node.size for node in self.roots)

    def view(self, url: str) -> View:
        """What the page at `url` shows: all of a small tree, of a large one the top and its own branch.

        The page of the collection shows all, for each document to be near; not so where its own text lists them.
        """
        around = self.parents(url)
        own = self._by_url.get(url)
        chain = (*around, own) if own and own.children else around
        key: tuple[Any, ...] = tuple(node.url or node.title for node in chain)
        siblings = around[-1].children if around else self.roots
        wide = self.size > PRUNED and len(siblings) > PRUNED
        at_root = url == (self._base or "/") and not self._lists_itself
        if wide or at_root:
            key = (*key, url)
        if key not in self._views:
            opened = frozenset(node.url or node.title for node in chain)
            is_whole = self.size <= (WHOLE if at_root else FOLDED)
            nodes = self.roots if is_whole else _pruned(self.roots, chain, url, self.size > PRUNED)
            self._views[key] = View(nodes, opened, _digest(nodes))
        return self._views[key]

    def digest(self, url: str) -> str:
        """What tells apart all that a page may show of the tree."""
        near = (*self.neighbours(url), *self.parents(url))
        said = [(node.title, node.url) if node else None for node in near]
        return f"{said}{self.view(url).digest}"

    def sections(self) -> dict[str, str]:
        """For each document's URL the label of the outermost folder around it; those beside the folders have none."""
        found = {}
        for node in self.sequence:
            above = self.parents(node.url)
            found[node.url] = above[0].title if above else node.title if node.children else ""
        return found


@dataclass(frozen=True, slots=True)
class _Said:
    """What of a document the tree needs."""

    slug: str
    url: str
    label: str
    order: float | None


def _shown(entries: Sequence[Entry]) -> Iterator[tuple[int, _Said]]:
    for number, entry in enumerate(entries):
        order, label = entry.meta.get("order"), entry.meta.get("nav_title")
        yield (
            number,
            _Said(
                entry.slug,
                entry.url,
                str(label).strip() if label else entry.title,
                float(order) if isinstance(order, int | float) and not isinstance(order, bool) else None,
            ),
        )


def _order(said: _Said | None, name: str, path: str) -> tuple[Any, ...]:
    order = said.order if said else None
    return (order is None, order or 0.0, natural(name), path)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """The order of names in which people count: `2-x` before `10-x`, letter case of no account."""
    parts = _DIGITS.split(name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def folder_label(name: str) -> str:
    """The name of a folder as a label: `getting-started` → `Getting started`."""
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def slug_of_item(slug: str) -> str:
    """A slug as settings write it: `index` and `guides/index` are the documents of their folders."""
    slug = slug.strip("/").removesuffix(".md")
    return "" if slug == "index" else slug.removesuffix("/index")


def _pruned(nodes: tuple[Node, ...], chain: tuple[Node, ...], url: str, is_large: bool) -> tuple[Node, ...]:
    """The nodes, of which only the one on the way to the page keeps its children.

    Where the tree is not large, so do groups without a page, which nothing else leads into.
    """
    shown, more = nodes, 0
    if len(nodes) > PRUNED:
        current = chain[0] if chain else None
        place = next((n for n, node in enumerate(nodes) if node is current or node.url == url), None)
        if place is None:  # the page of the folder itself
            shown = nodes[:WHOLE]
        else:
            shown = nodes[max(0, place - AROUND) : place + AROUND + 1]
            more = len(nodes) - len(shown)
    closed = (_closed(node, chain, url, is_large) for node in shown)
    return (*closed, Node("", more=more)) if more else tuple(closed)


def _closed(node: Node, chain: tuple[Node, ...], url: str, is_large: bool) -> Node:
    if chain and node is chain[0]:
        return replace(node, children=_pruned(node.children, chain[1:], url, is_large))
    if node.url or is_large:
        return replace(node, children=(), more=len(node.children))
    return replace(node, children=_pruned(node.children, (), url, is_large))


def _digest(nodes: tuple[Node, ...]) -> str:
    sha = hashlib.sha256()

    def visit(nodes: tuple[Node, ...]) -> None:
        for node in nodes:
            said = (node.title, node.url, node.href, node.more, len(node.children))
            sha.update(repr(said).encode("utf-8", "surrogatepass"))
            visit(node.children)

    visit(nodes)
    return sha.hexdigest()[:16]


def check_items(
    items: Sequence[NavItem],
    slugs: Container[str],
    folders: Container[str],
    exists: Any,
    hint_for: Callable[[str], str],
) -> Iterator[Diagnostic]:
    """Find items of the settings that name no document.

    `exists` says whether a draft has that slug, `hint_for` which one is meant.
    """
    for item in items:
        slug = slug_of_item(item.slug)
        is_known = item.slug.strip("/") in folders if item.slug.endswith("/") else slug in slugs
        if item.items:
            yield from check_items(item.items, slugs, folders, exists, hint_for)
        elif not item.url and not is_known and not exists(slug):
            near = f'write "{slug}/" for all of the folder' if slug in folders else ""
            hint = near or hint_for(slug) or "write the slug of a document: its path without .md"
            yield Diagnostic("config-error", f'nav names no document: "{item.slug}"', item.location, hint)
