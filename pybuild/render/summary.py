"""What a page says of itself: its metadata layers, gathered from settings, layouts, code and front matter.

Owns the order of the layers and the head of a page. Knows no layout and no body.
Source: docs/metadata.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pybuild.assemble.selection import feed_links
from pybuild.dates import rfc3339
from pybuild.diagnostics import Diagnostic, Location
from pybuild.plan import Job, params_of
from pybuild.render.library import Document
from pybuild.render.metadata import Layer, Metadata, PageFacts, head_markup, resolve
from pybuild.render.tools import Tools
from pybuild.render.usercode import Context, Stop, kind_of
from pybuild.routing.inspect import ModuleFacts
from pybuild.routing.tree import Route


@dataclass(frozen=True, slots=True)
class Summary:
    """A page's metadata, resolved, and the head made of it."""

    metadata: Metadata
    head: Markup
    date: str = ""  # RFC 3339
    updated: str = ""
    language: str = ""  # BCP 47; "" is the site's
    variant_link: str = ""  # the tag that names the variant
    findings: tuple[Diagnostic, ...] = ()


def summarise(tools: Tools, job: Job, document: Document | None, context: Context) -> Summary:
    """Gather and merge the metadata of one page. Findings: those of `metadata.resolve` and of site code."""
    route = tools.route(job)
    is_page = job.kind == "page"
    language = _language(document)
    facts = PageFacts(
        href=context.url if is_page else "",
        date=_text(document.date if document else None),
        updated=_text(document.updated if document else None),
        language=language,
    )
    layers = [
        *_site_layers(tools),
        *_layout_layers(tools, job, context),
        *_image_layers(tools, job, route),
        *_document_layers(document, route),
        *_page_layers(tools, job, context),
    ]
    metadata, findings = resolve(layers, tools.config, facts)
    variant = tools.library.links.variant(job.url) if is_page else ""
    head = head_markup(metadata, variant=variant, feeds=feed_links(tools.config))
    link = next((tag for tag in head.split("\n") if variant and 'type="text/markdown"' in tag), "")
    return Summary(metadata, head, facts.date, facts.updated, language, link, findings)


def _text(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""


def _language(document: Document | None) -> str:
    meta: Mapping[str, Any] = document.meta if document else {}
    found = meta.get("language", meta.get("lang", ""))
    return found if isinstance(found, str) else ""


def _site_layers(tools: Tools) -> Iterator[Layer]:
    if tools.config.settings.metadata:
        yield Layer(tools.config.settings.metadata, "settings", -1, Location(tools.config.file))


def _layout_layers(tools: Tools, job: Job, context: Context) -> Iterator[Layer]:
    for module in tools.route(job).surroundings.layout_modules:
        yield from _said_by(tools, job, module, "layout", context)


def _page_layers(tools: Tools, job: Job, context: Context) -> Iterator[Layer]:
    """The page's own code has the last word; the document gives the defaults."""
    route = tools.route(job)
    if route.module and route.kind in ("page", "not_found"):
        yield from _said_by(tools, job, route.module, "page", context)


_IMAGE_KEYS = {
    "favicon": ("icons", "icon"),
    "icon": ("icons", "icon"),
    "apple-icon": ("icons", "apple"),
    "opengraph-image": ("open_graph", "images"),
    "twitter-image": ("twitter", "images"),
}


def _image_layers(tools: Tools, job: Job, route: Route) -> Iterator[Layer]:
    """Icons and social images that stand as files around the page, and the web app manifest."""
    found: dict[str, Any] = {}
    params = {
        name: value for name, value in params_of(job, tools.site) if value != ""
    }  # a collection's index has no slug
    for image in route.surroundings.images:
        if not set(image.pattern.params) <= params.keys():
            continue
        table, key = _IMAGE_KEYS[image.kind]
        shown = {
            "url": image.pattern.fill(params),
            **({"alt": image.alt} if image.alt and table != "icons" else {}),
        }
        found.setdefault(table, {}).setdefault(key, []).append(shown)
    if tools.manifest:
        found["manifest"] = tools.manifest.pattern.fill({})
    if found:
        yield Layer(found, "page", 0, Location(route.file))


def _said_by(tools: Tools, job: Job, facts: ModuleFacts, kind: Any, context: Context) -> Iterator[Layer]:
    """The `metadata` of a module, or what its `generate_metadata` returns."""
    depth = facts.file.count("/") - 1
    if tools.defines(facts, "metadata"):
        module = tools.code.load(facts.file)
        yield Layer(_mapping(module.metadata, facts, "metadata"), kind, depth, facts.place("metadata"))
    if tools.defines(facts, "generate_metadata"):
        module = tools.code.load(facts.file)
        at = facts.place("generate_metadata")
        doing = f"generate_metadata for {context.path}"
        with tools.code.guard("handler-error", at, doing), tools.not_found_is_finding(job, at, doing):
            made = tools.code.call(module.generate_metadata, context)
        yield Layer(_mapping(made, facts, "generate_metadata"), kind, depth, at)


def _mapping(value: object, facts: ModuleFacts, name: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    message = f"{name} gives {kind_of(value)}, not a mapping"
    raise Stop(
        Diagnostic("invalid-setting", message, facts.place(name), 'give {"title": "…", "description": "…"}')
    )


def _document_layers(document: Document | None, route: Route) -> Iterator[Layer]:
    """Front matter, with the title and the description a document has without it."""
    if document is None:
        return
    entry = document.entry
    values = dict(entry.meta)
    if not values.get("title"):
        values["title"] = entry.title
    if not values.get("description"):
        values["description"] = document.excerpt
    depth = route.folder.count("/") if route.folder else max(0, len(route.pattern.segments))
    yield Layer(values, "document", depth, Location(entry.file, 1))
