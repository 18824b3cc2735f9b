"""What a page says of itself: its metadata layers, gathered from settings, layouts, code and front matter.

Owns the order of the layers and the head of a page. Knows no layout and no body.
Source: docs/metadata.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from markupsafe import Markup

from pybuild.diagnostics import Diagnostic, Location
from pybuild.markdown.finish import shortened
from pybuild.metadata.fields import script_json
from pybuild.metadata.gaps import HeadWithGaps, Own, with_gaps
from pybuild.metadata.head import Layer, Metadata, PageFacts, head_markup, json_ld_tag, resolve
from pybuild.metadata.json_ld import article, breadcrumb_list
from pybuild.metadata.layers import DOCUMENT_KEYS
from pybuild.plan import params_of
from pybuild.records import File
from pybuild.render.around import Around
from pybuild.render.cards import HEIGHT, WIDTH, Card
from pybuild.render.context import RenderContext
from pybuild.render.documents import Document
from pybuild.render.job import PageJob
from pybuild.render.listing_values import Listed
from pybuild.render.user_code import Stop, kind_of
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.tree import Route
from pybuild.rules.media_types import type_of
from pybuild.site_files.selection import FEED_FILES, FeedLink, feed_links
from pybuild.site_files.xml_text import one_line
from pybuild.source.dates import rfc3339
from pybuild.urls import absolute

_MORE_THAN_WORDS = DOCUMENT_KEYS - {"title", "description"} | {"author", "cover", "lang", "language"}


@dataclass(frozen=True, slots=True)
class Summary:
    """A page's metadata, resolved, and the head made of it."""

    metadata: Metadata
    head: Markup
    date: str = ""  # RFC 3339
    updated: str = ""
    language: str = ""  # BCP 47; "" is the site's
    variant_link: str = ""  # the tag that names the variant
    variant_href: str = ""  # its URL as browsers are given it
    findings: tuple[Diagnostic, ...] = ()
    card: File | None = None  # the picture that was drawn of it
    sizes: tuple[str, ...] = ()  # what it depends on of its pictures


def summarise(
    context: RenderContext,
    page: PageJob,
    document: Document | None,
    listing: Listed | None = None,
    *,
    heading: str = "",
) -> Summary:
    """Gather and merge the metadata of one page; `heading` is its title where nothing else gives one.

    Findings: those of `metadata.resolve` and of site code.
    """
    if document and not listing and not heading and (own := _own_words(context, page, document)):
        key = (page.job.route, *own.shape)
        if key not in context.heads:
            layers, feeds = list(_layers(context, page, document, None)), feed_links(context.config)
            context.heads[key] = with_gaps(layers, context.config, own, context.config.locale, feeds)
        if head := context.heads[key]:
            return _filled(context, page, document, own, head)
    return _merged(context, page, document, listing, heading)


def _own_words(context: RenderContext, page: PageJob, document: Document) -> Own | None:
    """What a page says of itself, where that is a title, a description and dates, and nothing of its own adds to it."""
    route, config, entry = page.route, context.config, document.entry
    meta = entry.meta
    others = meta.keys() & _MORE_THAN_WORDS
    has_code = bool(route.module or route.surroundings.layout_modules)
    has_pictures = any(image.pattern.params for image in route.surroundings.images)
    if others or has_code or has_pictures or not page.is_page:
        return None
    if config.languages or config.settings.cards.enabled:
        return None
    title = meta.get("title") or entry.title
    description = meta.get("description") or shortened(document.excerpt)
    if not (isinstance(title, str) and isinstance(description, str) and (title := one_line(title))):
        return None
    return Own(
        title=title,
        description=one_line(description),
        href=page.href,
        date=_moment(entry.date),
        updated=_moment(entry.updated),
        variant=context.library.links.variant(page.url),
    )


def _filled(
    context: RenderContext, page: PageJob, document: Document, own: Own, known: HeadWithGaps
) -> Summary:
    """The summary of a page of which only the gaps in its head were not known."""
    metadata, head, tag = known.filled(own)
    facts = PageFacts(href=own.href, date=own.date, updated=own.updated)
    said = _json_ld(context, page, document, metadata, facts)
    head = Markup("\n".join([head, *map(json_ld_tag, said)]))
    shown = own.variant.removeprefix(context.config.site.origin)
    return Summary(metadata, head, own.date, own.updated, context.config.locale, tag, shown)


def _merged(
    context: RenderContext, page: PageJob, document: Document | None, listing: Listed | None, heading: str
) -> Summary:
    """The summary of a page that may say anything."""
    config, original = context.page_config, context.original(page, document)
    language = _language(document) or ("" if original else config.locale)
    facts = PageFacts(
        href=page.href if page.is_page else "",
        date=_moment(document.date if document else None),
        updated=_moment(document.updated if document else None),
        language=language,
        canonical=context.library.links.published_page(original) if original else "",
        languages=() if original else _languages(context, page),
    )
    layers = list(_layers(context, page, document, listing))
    layers += [Layer({"title": heading}, "page", 99, Location())] if heading else []
    metadata, findings = resolve(layers, config, facts)
    card = None
    if config.settings.cards.enabled and page.is_page and not metadata.images:
        card = context.cards.card(metadata.name or metadata.title, metadata.description, page.origin)
        layers = [_card_layer(card, metadata), *layers]
        metadata, findings = resolve(layers, config, facts)
        findings = (*findings, *card.findings)
    metadata, sizes = _with_sizes(context, page, metadata)
    variant = context.library.links.variant(original or page.url) if page.is_page else ""
    said = _json_ld(context, page, document, metadata, facts) if document else ()
    metadata = replace(metadata, json_ld=(*metadata.json_ld, *said))
    feeds = (*feed_links(config), *_term_feeds(context, listing))
    head = head_markup(metadata, variant=variant, feeds=feeds)
    variant_href = variant.removeprefix(config.site.origin)
    return Summary(
        metadata,
        head,
        facts.date,
        facts.updated,
        language,
        variant_tag(head) if variant else "",
        variant_href,
        findings,
        card.file if card else None,
        sizes,
    )


def variant_tag(head: str) -> str:
    """The tag of a head that names the variant; "" for none."""
    return next((tag for tag in head.split("\n") if 'type="text/markdown"' in tag), "")


def _card_layer(card: Card, metadata: Metadata) -> Layer:
    """The card as the picture of a page that names none."""
    shown = {
        "url": "/" + card.file.path,
        "width": WIDTH,
        "height": HEIGHT,
        "type": "image/png",
        "alt": metadata.name or metadata.title,
    }
    return Layer({"open_graph": {"images": [shown]}}, "settings", -1, Location())


def _with_sizes(
    context: RenderContext, page: PageJob, metadata: Metadata
) -> tuple[Metadata, tuple[str, ...]]:
    """Say width, height, type and a description of local pictures, where nobody has; and what was looked at."""
    pairs: list[tuple[str, str]] = []
    said: list[str] = []
    for number, (key, value) in enumerate(metadata.properties):
        pairs.append((key, value))
        if key != "og:image":
            continue
        rest = metadata.properties[number + 1 :]
        parts = list(takewhile(lambda pair: pair[0].startswith("og:image:"), rest))
        known = {name for name, _ in parts}
        file = _local_file(context, page, value)
        size = context.pictures.sizes.of(file) if file else None
        said += [context.pictures.sizes.said(file)] if file else []
        made: dict[str, object] = {"og:image:width": size and size[0], "og:image:height": size and size[1]}
        if made.keys() & known:
            made = {}
        media = type_of(file) if file else ""
        made |= {"og:image:type": media, "og:image:alt": (metadata.name or metadata.title) if file else ""}
        pairs += [(name, str(found)) for name, found in made.items() if found and name not in known]
    return replace(metadata, properties=tuple(pairs)), tuple(said)


def _local_file(context: RenderContext, page: PageJob, address: str) -> str:
    """The file of the site behind the absolute address of a picture; "" for none."""
    origin = context.config.site.origin
    found = (
        context.library.links.follow(address.removeprefix(origin), page.url)
        if address.startswith(origin)
        else None
    )
    if found is None:
        return ""
    assets = {"/" + asset.path: asset.file.as_posix() for asset in context.library.used}
    file = context.static_files.get(found[0]) or assets.get(found[0]) or f"public{found[0]}"
    return file if (context.config.root / file).is_file() else ""


def _languages(context: RenderContext, page: PageJob) -> tuple[tuple[str, str], ...]:
    """The page in all languages that have it, the default one named a second time as that for all others."""
    links, default = context.library.links, context.config.site.language
    known = [version for version in context.translations.of(page.url) if not version.is_fallback]
    if not page.is_page or len(known) < 2:
        return ()
    pairs = [(version.locale or default, links.published_page(version.url)) for version in known]
    pairs += [("x-default", links.published_page(version.url)) for version in known if not version.locale]
    return tuple(sorted(pairs))


def _moment(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""


def _language(document: Document | None) -> str:
    meta: Mapping[str, Any] = document.meta if document else {}
    found = meta.get("language", meta.get("lang", ""))
    return found if isinstance(found, str) else ""


def _layers(
    context: RenderContext, page: PageJob, document: Document | None, listing: Listed | None
) -> Iterator[Layer]:
    """All that says something of a page. Its own code has the last word; the document gives the defaults."""
    if context.config.settings.metadata:
        yield Layer(context.config.settings.metadata, "settings", -1, Location(context.config.file))
    for module in page.route.surroundings.layout_modules:
        yield from _said_by(context, page, module, "layout")
    yield from _image_layers(context, page)
    if listing:
        title = {"absolute": listing.title} if listing.is_home else listing.title
        values: dict[str, Any] = {"title": title}
        if listing.description:
            values["description"] = listing.description
        yield Layer(values, "page", 99, Location())
    if page.job.kind == "not_found":
        yield Layer({"title": context.library.words("not_found")}, "page", 99, Location())
    yield from _document_layers(document, page.route)
    if page.route.module and page.route.kind in ("page", "not_found"):
        yield from _said_by(context, page, page.route.module, "page")


_IMAGE_KEYS = {
    "favicon": ("icons", "icon"),
    "icon": ("icons", "icon"),
    "apple-icon": ("icons", "apple"),
    "opengraph-image": ("open_graph", "images"),
    "twitter-image": ("twitter", "images"),
}


def _image_layers(context: RenderContext, page: PageJob) -> Iterator[Layer]:
    """Icons and social images that stand as files around the page, and the web app manifest."""
    found: dict[str, Any] = {}
    params = {
        name: value for name, value in params_of(page.job, context.site) if value != ""
    }  # a collection's index has no slug
    for image in page.route.surroundings.images:
        if not set(image.pattern.params) <= params.keys():
            continue
        table, key = _IMAGE_KEYS[image.kind]
        shown = {
            "url": image.pattern.fill(params),
            **({"alt": image.alt} if image.alt and table != "icons" else {}),
        }
        found.setdefault(table, {}).setdefault(key, []).append(shown)
    if context.manifest:
        found["manifest"] = context.manifest.pattern.fill({})
    if found:
        yield Layer(found, "page", 0, Location(page.route.file))


def _said_by(context: RenderContext, page: PageJob, facts: ModuleFacts, kind: Any) -> Iterator[Layer]:
    """The `metadata` of a module, or what its `generate_metadata` returns."""
    depth = facts.file.count("/") - 1
    if context.defines(facts, "metadata"):
        module = context.code.load(facts.file)
        yield Layer(_mapping(module.metadata, facts, "metadata"), kind, depth, facts.place("metadata"))
    if context.defines(facts, "generate_metadata"):
        module = context.code.load(facts.file)
        at = facts.place("generate_metadata")
        doing = f"generate_metadata for {page.url}"
        with context.code.guard("handler-error", at, doing), context.not_found_is_finding(page, at, doing):
            made = context.code.call(module.generate_metadata, page.ctx)
        yield Layer(_mapping(made, facts, "generate_metadata"), kind, depth, at)


def _mapping(value: object, facts: ModuleFacts, name: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    message = f"{name} gives {kind_of(value)}, not a mapping"
    raise Stop(
        Diagnostic("invalid-setting", message, facts.place(name), 'give {"title": "…", "description": "…"}')
    )


def _term_feeds(context: RenderContext, listing: Listed | None) -> tuple[FeedLink, ...]:
    if listing is None or not listing.feed:
        return ()
    address = absolute(context.config.site.url, listing.feed)
    return (FeedLink(address, FEED_FILES["rss"].media_type, listing.title),)


def _json_ld(
    context: RenderContext, page: PageJob, document: Document, metadata: Metadata, facts: PageFacts
) -> Iterable[str]:
    """What the default look says to search engines of a page of a collection."""
    route = page.route
    if route.template or route.surroundings.layouts or not page.is_page:
        return ()
    around = Around(context.library, page.url, document.entry.collection, document)
    crumbs = [(crumb.title, crumb.url) for crumb in around.breadcrumb]
    made = (
        [breadcrumb_list([*crumbs, (metadata.name, page.href)], context.config.site.origin)] if crumbs else []
    )
    if document.date:
        made.append(article(metadata, facts, document.authors, page.href))
    return map(script_json, made)


def _document_layers(document: Document | None, route: Route) -> Iterator[Layer]:
    """Front matter, with the title and the description a document has without it."""
    if document is None:
        return
    entry = document.entry
    values, lines = dict(entry.meta), entry.lines
    if not values.get("title"):
        values["title"] = entry.title
    if not values.get("description"):
        values["description"] = shortened(document.excerpt)
    if "authors" not in values and document.authors:  # `author` is read as other tools write it
        values["authors"] = list(document.authors)
    if document.cover_href and not isinstance(values.get("open_graph"), Mapping):
        values["open_graph"] = {"images": [document.cover_href]}
        lines = {**lines, "open_graph": lines.get("cover", 1)}
    depth = route.folder.count("/") if route.folder else max(0, len(route.pattern.segments))
    yield Layer(values, "document", depth, Location(entry.file, 1), lines)
