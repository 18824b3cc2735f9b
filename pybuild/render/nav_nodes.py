"""Nodes of a tree as templates see them.

Owns `NavNode`. Knows no collection but what it asks of one. Source: docs/navigation.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from markupsafe import Markup

from pybuild.source.navigation import Node


class TreeOwner(Protocol):
    """What a node asks of its collection."""

    def href(self, url: str) -> str:
        """A decoded URL as browsers are given it."""

    def link(self, href: str) -> str:
        """A link of the settings as browsers are given it."""

    def numbered(self, index: int) -> Any:
        """The document of an index."""


class NavNode:
    """One entry of a tree."""

    __slots__ = ("_mark", "_node", "_owner")

    def __init__(
        self, node: Node, owner: TreeOwner, mark: Callable[[Node, str], Markup] | None = None
    ) -> None:
        """`mark` gives the attributes that depend on the page which shows the tree."""
        self._node = node
        self._owner = owner
        self._mark = mark

    @property
    def title(self) -> str:
        return self._node.title

    @property
    def url(self) -> str:
        """As browsers are given it; "" for a folder without a page."""
        if self._node.href:
            return self._owner.link(self._node.href)
        return self._owner.href(self._node.url) if self._node.url else ""

    @property
    def children(self) -> list[NavNode]:
        return [NavNode(child, self._owner, self._mark) for child in self._node.children]

    @property
    def document(self) -> Any:
        """The document; None for a folder without one and for a link."""
        return self._owner.numbered(self._node.entry) if self._node.entry >= 0 else None

    @property
    def more(self) -> int:
        """How many children a large tree leaves out."""
        return self._node.more

    @property
    def current(self) -> Markup:
        """The attribute that marks the page which shows the tree."""
        return self._mark(self._node, "current") if self._mark else Markup("")

    @property
    def open(self) -> Markup:
        """The attribute of a folder that is shown open."""
        return self._mark(self._node, "open") if self._mark else Markup("")

    def __repr__(self) -> str:
        return f"<NavNode {self.title}>"
