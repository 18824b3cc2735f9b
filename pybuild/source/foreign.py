"""Front matter of other builders: the keys that mean there what ours mean here.

Owns the table and the warnings; a key is named only where its value is of the kind that ours takes and ours is
absent. Reads nothing. Sources: gohugo.io, "Front matter"; docusaurus.io, "Markdown front matter"; starlight.astro.build,
"Frontmatter reference"; jekyllrb.com, "Front Matter"; docs of just-the-docs, Eleventy, Astro's blog starter and MkDocs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pybuild.diagnostics import Diagnostic, Location, warning

_Test = Callable[[object], bool]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_true(value: object) -> bool:
    return value is True


def _is_false(value: object) -> bool:
    return value is False


@dataclass(frozen=True, slots=True)
class _Known:
    """What a key of others is here."""

    ours: str  # our key
    written: str  # how it is written, `{}` being the value
    is_meant: _Test


_TABLE: Mapping[str, _Known] = {
    **dict.fromkeys(("weight", "sidebar_position", "nav_order"), _Known("order", "order: {}", _is_number)),
    **dict.fromkeys(
        ("linkTitle", "linktitle", "sidebar_label"), _Known("nav_title", "nav_title: {}", _is_text)
    ),
    **dict.fromkeys(
        ("pubDate", "pubdate", "publishDate", "publishdate"), _Known("date", "date: {}", _is_text)
    ),
    **dict.fromkeys(
        ("updatedDate", "lastUpdated", "last_modified_at", "modified"),
        _Known("updated", "updated: {}", _is_text),
    ),
    **dict.fromkeys(("heroImage", "featured_image"), _Known("cover", "cover: {}", _is_text)),
    "published": _Known("draft", "draft: true", _is_false),
    **dict.fromkeys(
        ("expiryDate", "expirydate", "unpublishDate"),
        _Known("draft", "draft: true once it is over", _is_text),
    ),
    **dict.fromkeys(("nav_exclude", "hidden", "bookHidden"), _Known("nav", "nav: false", _is_true)),
    "redirect_to": _Known(
        "[[redirects]]", '[[redirects]] with destination = "{}" into the settings', _is_text
    ),
    "noindex": _Known("robots", "robots: noindex", _is_true),
    "unlisted": _Known("sitemap", "sitemap: false, nav: false and robots: noindex", _is_true),
    "hide_table_of_contents": _Known("toc", "toc: false", _is_true),
    "tableOfContents": _Known("toc", "toc: false", _is_false),
    "pagefind": _Known("search", "search: false", _is_false),
    "search_exclude": _Known("search", "search: false", _is_true),
}
_INSIDE: Mapping[tuple[str, str], _Known] = {
    ("sidebar", "order"): _Known("order", "order: {}", _is_number),
    ("sidebar", "label"): _Known("nav_title", "nav_title: {}", _is_text),
    ("sidebar", "hidden"): _Known("nav", "nav: false", _is_true),
    ("eleventyNavigation", "order"): _Known("order", "order: {}", _is_number),
    ("eleventyNavigation", "title"): _Known("nav_title", "nav_title: {}", _is_text),
    ("last_update", "date"): _Known("updated", "updated: {}", _is_text),
}


def foreign_names(meta: Mapping[str, Any], place: Callable[[str], Location]) -> Iterator[Diagnostic]:
    """Warn of keys that mean something elsewhere and are data here."""
    for key, value in meta.items():
        if known := _TABLE.get(key):
            yield from _named(key, value, known, meta, place(key))
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                if found := _INSIDE.get((key, str(name))):
                    yield from _named(f"{key}.{name}", inner, found, meta, place(key))


def _named(
    key: str, value: object, known: _Known, meta: Mapping[str, Any], at: Location
) -> Iterator[Diagnostic]:
    if known.ours not in meta and known.is_meant(value):
        message = f'"{key}" is data here; the same is "{known.ours}"'
        yield warning("front-matter-error", message, at, f"write {known.written.replace('{}', str(value))}")
