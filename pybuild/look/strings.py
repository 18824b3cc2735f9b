"""The words of the default look, by language.

Owns every text that our templates and scripts show. Knows no page. `{}` is where a number or a name goes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "all_pages": "All pages",
    "authors": "Authors",
    "breadcrumb": "Where you are",
    "contents": "On this page",
    "copied": "Copied",
    "copy": "Copy",
    "dark": "Dark colours",
    "documentation": "Documentation",
    "documents": "{} pages",
    "documents_one": "1 page",
    "edit": "Edit this page",
    "feed": "Feed",
    "markdown": "This page as Markdown",
    "menu": "Menu",
    "more": "{} more",
    "near": "Did you mean one of these?",
    "neighbours": "Previous and next page",
    "newest": "Newest",
    "next": "Next",
    "not_found": "Page not found",
    "not_found_lead": "Nothing is published at this address.",
    "not_found_start": "Start again from",
    "not_found_text": "It may have moved, or the link that led here may be wrong.",
    "overview": "Overview",
    "page": "Page {}",
    "pages": "Pages of this list",
    "prev": "Previous",
    "published": "Published",
    "reading_time": "{} min read",
    "related": "Related",
    "search": "Search",
    "search_close": "Close",
    "search_hint": "Type a word of a title or a heading",
    "search_none": "Nothing found",
    "search_results": "Results",
    "search_some": "{} found",
    "sections": "Sections",
    "sitemap": "Sitemap",
    "skip": "Skip to content",
    "tags": "Tags",
    "titled_page": "{title}, page {number}",
    "updated": "Last changed",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH}
_RTL = frozenset(("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))


def text(language: str, name: str, value: object = None) -> str:
    """The words of that name in a language, in English where it has none. Raises `LookupError` for no such name."""
    table = LANGUAGES.get(language.partition("-")[0].lower(), ENGLISH)
    if value == 1 and f"{name}_one" in ENGLISH:
        name = f"{name}_one"
    found = table.get(name) or ENGLISH[name]
    return found.replace("{}", str(value)) if value is not None else found


def is_rtl(language: str) -> bool:
    """Whether a language is written from right to left."""
    return language.partition("-")[0].lower() in _RTL


def search_texts(language: str) -> str:
    """What the script of the search says, as JSON."""
    names = ("close", "hint", "none", "results", "some")
    found = {name: text(language, f"search_{name}") for name in names}
    return json.dumps({**found, "label": text(language, "search")}, ensure_ascii=False, separators=(",", ":"))
