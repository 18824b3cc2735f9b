"""The blog as the front pages and `/api/posts` show it. Knows no template."""

from __future__ import annotations

from typing import Any

from pybuild import Document, collection


def newest_first() -> list[Document]:
    """Every published post, the newest first; two of one day in the order of their slugs."""
    by_slug = sorted(collection("blog"), key=lambda post: post.slug)
    return sorted(by_slug, key=lambda post: post.date, reverse=True)


def summary(post: Document) -> dict[str, Any]:
    """A post without its text, as JSON; dates are RFC 3339."""
    return {
        "id": post.slug,
        "title": post.title,
        "description": post.description,
        "date": post.date.isoformat(),
        "tags": list(post.tags),
        "url": post.url,
    }
