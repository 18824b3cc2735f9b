"""The words of the default look, by language.

Owns every text that our templates and scripts show, in English; `translations` has the other languages. Knows no
page. `{}` is where a number or a name goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from pybuild.look import translations

ENGLISH: Mapping[str, str] = {
    "all_pages": "All pages",
    "authors": "Authors",
    "breadcrumb": "Where you are",
    "contents": "On this page",
    "copied": "Copied",
    "copy": "Copy",
    "dark": "Dark colours",
    "date": "%-d %B %Y",
    "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "details": "Details",
    "documentation": "Documentation",
    "documents": "{} pages",
    "documents_one": "1 page",
    "edit": "Edit this page",
    "feed": "Feed",
    "feed_said": "This is a feed: copy its address into a feed reader to follow this site.",
    "label_abstract": "Abstract",
    "label_attention": "Attention",
    "label_bug": "Bug",
    "label_caution": "Caution",
    "label_danger": "Danger",
    "label_error": "Error",
    "label_example": "Example",
    "label_failure": "Failure",
    "label_faq": "FAQ",
    "label_hint": "Hint",
    "label_important": "Important",
    "label_info": "Info",
    "label_note": "Note",
    "label_permalink": "Permalink",
    "label_question": "Question",
    "label_quote": "Quote",
    "label_seealso": "See also",
    "label_success": "Success",
    "label_summary": "Summary",
    "label_tip": "Tip",
    "label_tldr": "TL;DR",
    "label_todo": "To do",
    "label_warning": "Warning",
    "languages": "Languages",
    "llms_agents": "For AI agents:",
    "llms_details": "The links lead to Markdown. The text of all pages: {}",
    "llms_index": "the index of this site is at {}.",
    "llms_page": "This page is at {} as Markdown.",
    "llms_pages": "Pages",
    "llms_summary": "The pages of {} as Markdown.",
    "markdown": "This page as Markdown",
    "menu": "Menu",
    "months": "January February March April May June July August September October November December",
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
    "untranslated": "This page is not translated yet.",
    "updated": "Last changed",
    "updated_short": "Updated",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {
    "ar": translations.ARABIC,
    "de": translations.GERMAN,
    "en": ENGLISH,
    "es": translations.SPANISH,
    "fr": translations.FRENCH,
    "it": translations.ITALIAN,
    "ja": translations.JAPANESE,
    "pt": translations.PORTUGUESE,
    "zh": translations.CHINESE,
}
_RTL = frozenset(("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))


def text(language: str, name: str, value: object = None, own: Sequence[Mapping[str, str]] = ()) -> str:
    """The words of that name in a language, in English where it has none. Raises `LookupError` for no such name.

    `own` are the words of the site, the nearest first: those of the language, then those of the default one.
    """
    table = LANGUAGES.get(language.partition("-")[0].lower(), ENGLISH)
    near, far = (*own[:1], table), (*own[1:], ENGLISH)
    if value == 1 and any(f"{name}_one" in words for words in (*near, *far)):
        name = f"{name}_one"
    found = next(words[name] for words in (*near, *far) if name in words or words is ENGLISH)
    return found.replace("{}", str(value)) if value is not None else found


def is_rtl(language: str) -> bool:
    """Whether a language is written from right to left."""
    return language.partition("-")[0].lower() in _RTL


def search_texts(words: Callable[[str], str]) -> str:
    """What the script of the search says, as JSON. `words` gives those of a name."""
    names = ("close", "hint", "none", "results", "some")
    found = {name: words(f"search_{name}") for name in names}
    return json.dumps({**found, "label": words("search")}, ensure_ascii=False, separators=(",", ":"))
