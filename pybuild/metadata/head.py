"""Metadata: what a page says of itself, from the settings down to its front matter, and its head tags.

Owns the merge of layers, the defaults and the order of the tags. Knows no route; writes no charset and no
viewport, which layouts do. Sources: Next.js 16, `generateMetadata` (titles, templates); HTML 4.2.5 and
4.6.6 (metadata names, link types); ogp.me.

Inner layers win key by key, also inside `open_graph`, `twitter` and `icons`: Next replaces these tables
whole, and a page that sets its own title there loses its layout's image. `json_ld` adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce

from markupsafe import Markup, escape

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.metadata.fields import OG_ORDER, TWITTER_ORDER, Pairs, is_indexed
from pybuild.metadata.layers import Layer, Said, read_layer
from pybuild.site_files.selection import FeedLink, with_itself
from pybuild.site_files.xml_text import one_line

__all__ = ["Layer", "Metadata", "PageFacts", "head_markup", "resolve"]

_SAID = tuple(field.name for field in fields(Said))
_ICON_ORDER = ("icon", "shortcut", "apple", "other")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is known of the page besides its metadata."""

    href: str = ""  # absolute, encoded; "" for a page without an address of its own, such as the 404 page
    date: str = ""  # RFC 3339; "" when unknown
    updated: str = ""  # RFC 3339; "" when unknown
    language: str = ""  # BCP 47; "" is the site's
    canonical: str = ""  # of the page that this one is a copy of
    languages: Pairs = ()  # (hreflang, URL) of its translations and itself, where nobody says others


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything the head says, merged and checked; URLs are absolute."""

    title: str = ""  # with the template, as in `<title>`
    name: str = ""  # the title alone, for lists and feeds
    has_title: bool = False  # False where it is the site's, since nothing gives the page one
    description: str = ""
    canonical: str = ""  # "" for a page without an address
    indexed: bool = True  # False when `robots` says noindex or none
    authors: Pairs = ()  # (name, URL or "")
    languages: Pairs = ()  # (hreflang, URL), sorted, the page itself included
    images: tuple[str, ...] = ()  # of Open Graph
    meta: Pairs = ()  # (name, content) but the description
    properties: Pairs = ()  # Open Graph (property, content)
    links: tuple[Pairs, ...] = ()  # attributes of further `<link>` elements
    json_ld: tuple[str, ...] = ()  # JSON that can stand in a script element


def resolve(
    layers: Sequence[Layer], config: Config, page: PageFacts = PageFacts()
) -> tuple[Metadata, tuple[Diagnostic, ...]]:
    """Merge layers, outermost first, and fill in the defaults.

    A title `{"default", "template", "absolute"}` has Next's meaning: the template is for titles of deeper
    folders, not of the one that sets it; `absolute` ignores templates. `canonical` and `alternates.languages`
    are for pages and documents.
    Findings: `config-error` for settings, `front-matter-error` for documents, else `invalid-setting`.
    """
    said: list[Said] = []
    findings: list[Diagnostic] = []
    for layer in layers:
        one, faults = read_layer(layer, config, page.href)
        said.append(one)
        findings += faults
    named = [(layer.depth, one) for layer, one in zip(layers, said, strict=True)]
    titles = _titles(named)
    merged = reduce(_merged, said, Said())
    metadata = _metadata(merged, titles or (one_line(config.site.title),) * 2, config, page)
    return replace(metadata, has_title=titles is not None), tuple(findings)


def _merged(outer: Said, inner: Said) -> Said:
    """What both say: mappings key by key, JSON-LD one after the other, else the inner where it speaks."""
    values = {}
    for name in _SAID:
        old, new = getattr(outer, name), getattr(inner, name)
        if isinstance(old, dict):
            values[name] = old | new
        elif name == "json_ld":
            values[name] = old + new
        else:
            values[name] = old if new is None else new
    return Said(**values)


def _titles(layers: Iterable[tuple[int, Said]]) -> tuple[str, str] | None:
    """The innermost title alone and within the template of the nearest folder above it that set a title."""
    templates: list[tuple[int, str]] = []
    found = None
    for depth, said in layers:
        title = said.title
        if title is None:
            continue
        if title.text:
            above = next((text for level, text in reversed(templates) if level < depth), "")
            template = "" if title.is_absolute else above
            found = (title.text, template.replace("%s", title.text) if template else title.text)
        templates.append((depth, title.template))
    return found


def _metadata(said: Said, titles: tuple[str, str], config: Config, page: PageFacts) -> Metadata:
    name, title = titles
    description = said.description or one_line(config.site.description)
    canonical = (page.canonical or said.canonical or page.href) if page.href else ""
    graph = _graph(said, (title, description, canonical), config, page)
    robots = said.robots.get("robots", "")
    languages = said.languages or page.languages
    has_image = any(key == "og:image" for key, _ in graph) or bool(said.twitter.get("images"))
    card = ("twitter:card", "summary_large_image" if has_image else "summary")
    twitter = {"card": (card,)} | dict(said.twitter)
    return Metadata(
        title=title,
        name=name,
        description=description,
        canonical=canonical,
        indexed=is_indexed(robots),
        authors=said.authors or (),
        languages=with_itself(languages, page.language or config.site.language, page.href),
        images=tuple(content for key, content in graph if key == "og:image"),
        meta=(
            *((name, text) for name, text in said.robots.items() if text),
            *(("author", name) for name, _ in said.authors or ()),
            *([("keywords", ", ".join(said.keywords))] if said.keywords else ()),
            *((name, text) for name, texts in said.meta.items() for text in texts if name),
            *(pair for key in TWITTER_ORDER for pair in twitter.get(key, ())),
        ),
        properties=graph,
        links=_links(said),
        json_ld=said.json_ld,
    )


def _graph(said: Said, texts: tuple[str, str, str], config: Config, page: PageFacts) -> Pairs:
    """Open Graph with its defaults, in the order of `OG_ORDER`. `texts`: title, description, URL."""
    title, description, canonical = texts
    is_article = bool(page.date)
    defaults = {
        "type": ("og:type", "article" if is_article else "website"),
        "title": ("og:title", title),
        "description": ("og:description", description),
        "url": ("og:url", canonical),
        "site_name": ("og:site_name", one_line(config.site.title)),
        "published_time": ("article:published_time", page.date if is_article else ""),
        "modified_time": ("article:modified_time", page.updated if is_article else ""),
    }
    known = {key: (pair,) for key, pair in defaults.items() if pair[1]} | dict(said.open_graph)
    return tuple(pair for key in OG_ORDER for pair in known.get(key, ()))


def _links(said: Said) -> tuple[Pairs, ...]:
    """The further links: authors, other media types, the manifest, icons."""
    return (
        *((("rel", "author"), ("href", url)) for _, url in said.authors or () if url),
        *(
            (("rel", "alternate"), ("type", kind), ("href", url), *((("title", title),) if title else ()))
            for kind, url, title in said.types or ()
        ),
        *([(("rel", "manifest"), ("href", said.manifest))] if said.manifest else ()),
        *(link for kind in _ICON_ORDER for link in said.icons.get(kind, ())),
    )


def head_markup(metadata: Metadata, *, variant: str = "", feeds: Sequence[FeedLink] = ()) -> Markup:
    """Write the head tags, one a line, in a fixed order; all text is escaped.

    `variant` is the absolute URL of the page's Markdown, `feeds` what `selection.feed_links` returns.
    """
    return Markup("\n".join(_head_tags(metadata, variant, feeds)))


def _tag(element: str, attributes: Pairs) -> str:
    """Write a void element. Attribute names come from the tables of this package, never from an author."""
    written = [f'{name}="{escape(value)}"' for name, value in attributes]
    return f"<{element} {' '.join(written)}>"


def _head_tags(metadata: Metadata, variant: str, feeds: Sequence[FeedLink]) -> Iterator[str]:
    yield f"<title>{escape(metadata.title)}</title>"
    if metadata.description:
        yield _tag("meta", (("name", "description"), ("content", metadata.description)))
    for name, content in metadata.meta:
        yield _tag("meta", (("name", name), ("content", content)))
    if metadata.canonical:
        yield _tag("link", (("rel", "canonical"), ("href", metadata.canonical)))
    for code, url in metadata.languages:
        yield _tag("link", (("rel", "alternate"), ("hreflang", code), ("href", url)))
    if variant:
        kind = (("rel", "alternate"), ("type", "text/markdown"))
        yield _tag("link", (*kind, ("href", variant), ("title", "Markdown")))
    for feed in feeds:
        kind = (("rel", "alternate"), ("type", feed.media_type))
        yield _tag("link", (*kind, ("href", feed.href), ("title", one_line(feed.title))))
    for attributes in metadata.links:
        yield _tag("link", attributes)
    for name, content in metadata.properties:
        yield _tag("meta", (("property", name), ("content", content)))
    for text in metadata.json_ld:
        yield json_ld_tag(text)


def json_ld_tag(text: str) -> str:
    """The element for JSON that `script_json` wrote."""
    return f'<script type="application/ld+json">{text}</script>'
