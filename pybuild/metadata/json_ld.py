"""JSON-LD that the default look writes: where a page is, and what an article is.

Owns the two shapes. Knows no page. Sources: schema.org BreadcrumbList and Article; Google Search Central, "Article".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pybuild.metadata.head import Metadata, PageFacts
from pybuild.urls import is_external

_CONTEXT = "https://schema.org"


def breadcrumb_list(crumbs: Iterable[tuple[str, str]], origin: str) -> dict[str, Any]:
    """The way to a page: titles and addresses, outermost first, the page itself last."""
    items = []
    for position, (title, url) in enumerate(crumbs, 1):
        item: dict[str, Any] = {"@type": "ListItem", "position": position, "name": title}
        if url:
            item["item"] = url if is_external(url) else origin + url
        items.append(item)
    return {"@context": _CONTEXT, "@type": "BreadcrumbList", "itemListElement": items}


def article(metadata: Metadata, facts: PageFacts, authors: Iterable[str], href: str) -> dict[str, Any]:
    """A dated document."""
    people = [{"@type": "Person", "name": name} for name in authors]
    said: dict[str, Any] = {
        "headline": metadata.name,
        "description": metadata.description,
        "datePublished": facts.date,
        "dateModified": facts.updated,
        "author": people,
        "image": list(metadata.images),
        "mainEntityOfPage": metadata.canonical or href,
    }
    known = {name: value for name, value in said.items() if value}
    return {"@context": _CONTEXT, "@type": "Article", **known}
