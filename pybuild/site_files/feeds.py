"""The feeds: `rss.xml` always, `atom.xml` and `feed.json` on request.

Owns what a feed says of the site and of its entries. feedgen builds the XML trees; what it gets wrong or
takes from the clock is set right here. Knows no page source.
Sources: RSS 2.0 (rssboard.org), RSS content module, Dublin Core; RFC 4287 (Atom); JSON Feed 1.1.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from pybuild.config.loader import Config
from pybuild.config.schema import FeedFormat
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.look.files import IMMUTABLE, LookFile, feed_style
from pybuild.records import Artifact, Page
from pybuild.site_files import NO_ORDER, ExtraFeed, SiteOrder
from pybuild.site_files.selection import FEED_FILES, changed, feed_formats, feed_pages, is_listed
from pybuild.site_files.variants import FEEDS, Parts, Variants
from pybuild.site_files.xml_text import one_line, xml_text
from pybuild.urls import absolute, encode, page_href

ORIGIN = "[feed]"
GENERATOR = "pybuild"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)  # Atom demands a date; an empty feed has none
_PERSON = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<email>[^<>@\s]+@[^<>@\s]+)>|(?P<bare>[^<>@\s]+@[^<>@\s]+)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed; all text can stand in XML."""

    id: str
    href: str  # absolute, encoded
    title: str
    summary: str
    content: str  # HTML with absolute links, or ""
    published: datetime
    updated: datetime
    language: str  # "" is the site's
    authors: tuple[Person, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """What the feed says of the site, and its entries, newest first."""

    title: str
    description: str
    home: str  # absolute URL of the site
    language: str
    author: Person | None
    updated: datetime | None  # newest change of an entry; None without entries
    entries: tuple[Entry, ...]


def feeds(
    pages: Collection[Page], config: Config, variants: Variants | None = None, order: SiteOrder = NO_ORDER
) -> Iterator[Artifact | Diagnostic]:
    """Yield a file for each format in `feed.formats`, and `rss.xml` in any case, also without entries.

    Note in `variants` what they are made of, for `feeds_again`.

    Finding: `front-matter-error` (a warning) where two entries have one guid; the older one goes by its URL.
    """
    chosen = feed_pages(pages, config)
    if variants:
        _note_parts(chosen, order, variants.parts)
    repeated = _repeated_guids(chosen)
    for page in repeated:
        message = f'the guid "{page.guid}" belongs to a newer page too'
        hint = "give each page a guid of its own, or delete this one"
        yield warning("front-matter-error", message, Location(page.file, page.line), hint)
    channel = _channel(chosen, config, frozenset(page.url for page in repeated))
    if config.prefix and all(page.url != config.prefix for page in pages):  # a language without a home page
        channel = replace(channel, home=absolute(config.site.url, "/"))
    style = feed_style(config) if order.has_look else None
    if style:
        yield Artifact(style.path, ORIGIN, style.body, headers=IMMUTABLE)
    for name in feed_formats(config):
        file = FEED_FILES[name]
        url = f"{config.prefix}/{file.path}"
        body = _WRITERS[name](channel, absolute(config.site.url, url))
        shown = _styled(body, style, config) if name != "json" else body
        yield Artifact(url[1:], ORIGIN, shown, media_type=f"{file.media_type}; charset=utf-8")
    yield from _extra_feeds(pages, config, order, style)


def _note_parts(chosen: Iterable[Page], order: SiteOrder, parts: Parts) -> None:
    urls = {page.url for page in chosen}
    urls.update(url for feed in order.feeds for url in (feed.url, *feed.pages))
    made = [order.has_look, [[feed.url, feed.title, list(feed.pages)] for feed in order.feeds], sorted(urls)]
    key = hashlib.sha256(json.dumps(made).encode("ascii")).hexdigest()
    if parts.last.get(FEEDS) != [key, 0, ""]:
        parts.pages[FEEDS] = made
    parts.made[FEEDS] = key, 0, ""


def feeds_again(kept: Any, page: Callable[[str], Page], config: Config) -> Iterator[Artifact]:
    """Yield all feeds with the texts of now; `kept` is what `feeds` noted, `page` gives one by its URL."""
    has_look, extra, urls = kept
    order = SiteOrder(
        has_look=has_look, feeds=tuple(ExtraFeed(url, title, tuple(of)) for url, title, of in extra)
    )
    made = feeds(list(map(page, urls)), config, order=order)
    return (artifact for artifact in made if isinstance(artifact, Artifact))


def _styled(body: bytes, style: LookFile | None, config: Config) -> bytes:
    """A feed that names its style; browsers do not show feeds of themselves."""
    if style is None:
        return body
    href = encode(f"{config.site.base_path}/{style.path}")
    return body.replace(b"?>\n", f'?>\n<?xml-stylesheet type="text/css" href="{href}"?>\n'.encode(), 1)


def _extra_feeds(
    pages: Iterable[Page], config: Config, order: SiteOrder, style: LookFile | None
) -> Iterator[Artifact]:
    """The feeds of tags, whose pages the site itself may have replaced."""
    wanted = {url for feed in order.feeds for url in (feed.url, *feed.pages)}
    known = {page.url: page for page in pages if page.url in wanted and is_listed(page)} if wanted else {}
    file = FEED_FILES["rss"]
    for feed in order.feeds:
        if feed.url not in known:
            continue
        shown = [known[url] for url in feed.pages if url in known and known[url].date]
        channel = _channel(shown, config, frozenset(page.url for page in _repeated_guids(shown)))
        title = f"{channel.title}: {one_line(feed.title)}"
        path = f"{feed.url[1:]}/{file.path}"
        named = replace(channel, title=title, home=known[feed.url].href)
        body = _styled(_rss(named, absolute(config.site.url, "/" + path)), style, config)
        yield Artifact(path, ORIGIN, body, media_type=f"{file.media_type}; charset=utf-8")


def _repeated_guids(pages: Iterable[Page]) -> list[Page]:
    """The pages whose guid a newer one has."""
    seen: set[str] = set()
    repeated = []
    for page in pages:
        if page.guid and page.guid in seen:
            repeated.append(page)
        seen.add(page.guid or page.href)
    return repeated


def _channel(pages: Iterable[Page], config: Config, by_url: frozenset[str]) -> Channel:
    entries = tuple(_entry(page, "" if page.url in by_url else page.guid) for page in pages)
    site, feed = config.site, config.settings.feed
    own = ("", "") if config.locale else (feed.title, feed.description)  # written in the default language
    title = one_line(own[0] or site.title) or site.url
    return Channel(
        title=title,
        description=one_line(own[1] or site.description) or title,
        home=absolute(site.url, page_href(config.prefix or "/", trailing_slash=config.trailing_slash)),
        language=one_line(site.language),
        author=parse_person(site.author),
        updated=max((entry.updated for entry in entries), default=None),
        entries=entries,
    )


def _entry(page: Page, guid: str) -> Entry:
    return Entry(
        id=one_line(guid) or page.href,
        href=page.href,
        title=one_line(page.title) or page.url,
        summary=one_line(page.description),
        content=xml_text(page.content),
        published=datetime.fromisoformat(page.date),
        updated=datetime.fromisoformat(changed(page)),
        language=one_line(page.language),
        authors=tuple(person for text in page.authors if (person := parse_person(text))),
        tags=tuple(dict.fromkeys(tag for text in page.tags if (tag := one_line(text)))),
    )


def parse_person(text: str) -> Person | None:
    """Read `Jo`, `Jo <jo@a.example>` or `jo@a.example`; None for nothing."""
    line = one_line(text)
    found = _PERSON.fullmatch(line)
    if not found:
        return Person(line) if line else None
    if found["bare"]:
        return Person(found["bare"], found["bare"])
    return Person(found["name"] or found["email"], found["email"])


def _generator(channel: Channel, href: str, media_type: str) -> FeedGenerator:
    """Fill feedgen with what both XML formats share. The last link given becomes the channel's."""
    feed = FeedGenerator()
    feed.id(channel.home)
    feed.title(channel.title)
    feed.description(channel.description)
    feed.link(href=href, rel="self", type=media_type)
    feed.link(href=channel.home, rel="alternate", type="text/html")
    feed.language(channel.language)
    feed.generator(GENERATOR)
    feed.updated(channel.updated or _UNKNOWN)
    return feed


def _add_entry(feed: FeedGenerator, entry: Entry) -> FeedEntry:
    """Add what both formats share. Order: feedgen would put each new entry first."""
    item = feed.add_entry(order="append")
    item.title(entry.title)
    item.link(href=entry.href, rel="alternate", type="text/html")
    item.published(entry.published)
    item.updated(entry.updated)
    item.category([{"term": tag} for tag in entry.tags])
    if entry.summary:
        item.description(entry.summary, isSummary=True)
    if entry.content:
        item.content(entry.content, type="html")
    return item


def _rss(channel: Channel, href: str) -> bytes:
    feed = _generator(channel, href, FEED_FILES["rss"].media_type)
    feed.load_extension("dc", atom=False, rss=True)
    site_authors = (channel.author,) if channel.author else ()
    for entry in channel.entries:
        item = _add_entry(feed, entry)
        item.guid(entry.id, permalink=entry.id == entry.href)
        people = entry.authors or site_authors
        if len(entry.authors) == 1 and people[0].email:  # RSS has one author, with an address of mail
            item.author(name=people[0].name, email=people[0].email)
        elif people:
            item.dc.dc_creator([person.name for person in people])
    root, _ = feed._create_rss()
    build_date = root.find("channel/lastBuildDate")
    if channel.updated is None and build_date is not None:
        build_date.getparent().remove(build_date)
    for element, made in zip(root.iterfind("channel/item"), channel.entries, strict=True):
        description = element.find("description")
        if made.content and not made.summary and description is not None:
            description.tag = _CONTENT
    return _document(root)


def _atom(channel: Channel, href: str) -> bytes:
    feed = _generator(channel, href, FEED_FILES["atom"].media_type)
    feed.author(_atom_person(channel.author or Person(channel.title)))
    for entry in channel.entries:
        item = _add_entry(feed, entry)
        item.id(entry.id if _URI.fullmatch(entry.id) else uuid.uuid5(uuid.NAMESPACE_URL, entry.id).urn)
        item.author([_atom_person(person) for person in entry.authors])
    root, _ = feed._create_atom()
    return _document(root)


def _atom_person(person: Person) -> dict[str, str]:
    return {"name": person.name, "email": person.email} if person.email else {"name": person.name}


def _document(root: etree._Element) -> bytes:
    text: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return text


def _json(channel: Channel, href: str) -> bytes:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": channel.home,
        "feed_url": href,
        "description": channel.description,
        "language": channel.language,
        "authors": _json_people([channel.author] if channel.author else []),
        "items": [_json_item(entry) for entry in channel.entries],
    }
    known = {name: value for name, value in feed.items() if value or name == "items"}
    return (json.dumps(known, ensure_ascii=False, indent=2) + "\n").encode()


def _json_item(entry: Entry) -> dict[str, Any]:
    """Content is required: the HTML, or the summary, or the title."""
    item = {
        "id": entry.id,
        "url": entry.href,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.content,
        "content_text": "" if entry.content else entry.summary or entry.title,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "authors": _json_people(entry.authors),
        "tags": list(entry.tags),
        "language": entry.language,
    }
    return {name: value for name, value in item.items() if value}


def _json_people(people: Iterable[Person]) -> list[dict[str, str]]:
    return [{"name": person.name} for person in people]


_WRITERS: dict[FeedFormat, Callable[[Channel, str], bytes]] = {"rss": _rss, "atom": _atom, "json": _json}
