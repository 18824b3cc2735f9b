"""Which pages the site-wide outputs show, and where the feeds are.

Owns the choice and the order of pages, and the names of the feed files. Writes no format.
Source of truth: docs/settings.md, `[feed]` and `[sitemap]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import Final

from pybuild.compact import ordered
from pybuild.config.loader import Config
from pybuild.config.schema import FeedFormat
from pybuild.records import Page
from pybuild.urls import absolute

NOT_FOUND = "404.html"

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FeedFile:
    """Where one feed format is written, and its media type without parameters."""

    path: str
    media_type: str


FEED_FILES: Final[dict[FeedFormat, FeedFile]] = {
    "rss": FeedFile("rss.xml", "application/rss+xml"),
    "atom": FeedFile("atom.xml", "application/atom+xml"),
    "json": FeedFile("feed.json", "application/feed+json"),
}


@dataclass(frozen=True, slots=True)
class FeedLink:
    """What `<link rel="alternate">` says of a feed."""

    href: str  # absolute, encoded
    media_type: str
    title: str


def feed_formats(config: Config) -> tuple[FeedFormat, ...]:
    """The feeds that are written, without repeats; RSS always is."""
    return tuple(dict.fromkeys(("rss", *config.settings.feed.formats)))


def feed_links(config: Config) -> tuple[FeedLink, ...]:
    """The feeds a page's head names, RSS first."""
    title = ("" if config.locale else config.settings.feed.title) or config.site.title
    base = absolute(config.site.url, config.prefix)
    files = [FEED_FILES[name] for name in feed_formats(config)]
    return tuple(FeedLink(f"{base}/{f.path}", f.media_type, title) for f in files)


def listed(pages: Iterable[Page]) -> Iterator[Page]:
    """The pages an index may show, sorted by URL: all but the 404 page and those that say noindex."""
    return filter(is_listed, ordered(pages, "url"))


def is_listed(page: Page) -> bool:
    """Whether an index may show a page."""
    return page.indexed and page.path != NOT_FOUND


def feed_pages(pages: Iterable[Page], config: Config) -> list[Page]:
    """The pages the feeds show: dated, newest first, ties by URL, at most `feed.limit`."""
    dated = (page for page in listed(pages) if page.date and _in_feed(page, config))
    return nlargest(config.settings.feed.limit, dated, key=lambda page: datetime.fromisoformat(page.date))


def _in_feed(page: Page, config: Config) -> bool:
    chosen = config.settings.feed.collections
    if chosen:
        return page.collection in chosen
    collection = config.settings.collections.get(page.collection)
    return collection is None or collection.feed


def changed(page: Page) -> str:
    """When the page last changed as far as anyone knows: RFC 3339, or `""`. Never before its date."""
    if not (page.updated and page.date):
        return page.updated or page.date
    return max(page.updated, page.date, key=datetime.fromisoformat)


def with_itself(known: Pairs, language: str, href: str) -> Pairs:
    """Add a page to its own translations: search engines ignore a set that leaves it out."""
    if not known or not href or any(url == href or code == language for code, url in known):
        return known
    return tuple(sorted((*known, (language, href))))


def url_filter(globs: Iterable[str]) -> Callable[[str], bool]:
    """Tell whether a decoded URL matches one of the globs.

    `*` and `?` stay within a segment, `**` crosses them: `/a/**` is `/a` and all below it.
    """
    pattern = re.compile("|".join(_glob_pattern(glob) for glob in globs) or r"(?!)", re.S)
    return lambda url: pattern.fullmatch(url) is not None


_WILDCARDS = {"/**/": "/(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _glob_pattern(glob: str) -> str:
    parts = re.split(r"(/\*\*/|/\*\*$|\*\*|\*|\?)", glob)
    return "".join(_WILDCARDS.get(part, re.escape(part)) for part in parts)
