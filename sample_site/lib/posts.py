"""The blog as the pages, the tag pages and `/api/posts` show it. Knows no template."""

from __future__ import annotations

from typing import Any

from pybuild import Document, collection


def newest_first() -> list[Document]:
    """Every published post, the newest first; two of one day in the order of their slugs."""
    by_slug = sorted(collection("blog"), key=lambda post: post.slug)
    return sorted(by_slug, key=lambda post: post.date, reverse=True)


def tag_slug(tag: str) -> str:
    """The spelling of a tag in a URL: `Data quality` → `data-quality`."""
    return tag.lower().replace(" ", "-")


def tags() -> dict[str, str]:
    """Every tag by its spelling in a URL, in alphabetical order."""
    names = {tag_slug(tag): tag for post in newest_first() for tag in post.tags}
    return dict(sorted(names.items()))


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
