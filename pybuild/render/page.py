"""Pages: a document or a template, inside its layouts, and its Markdown variant.

Owns the order in which a page is made. Knows no engine, and of other pages only their URLs.
Source: docs/pages.md.

What a page says of itself: its metadata layers, gathered from settings, layouts, code and front matter.

Owns the order of the layers and the head of a page. Knows no layout and no body.
Source: docs/metadata.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pybuild.diagnostics import Diagnostic, Location
from pybuild.markdown.from_html import compose, from_html, from_markdown, main_content
from pybuild.markdown.renderer import Heading
from pybuild.metadata.head import Layer, Metadata, PageFacts, head_markup, resolve
from pybuild.plan import Job, params_of
from pybuild.records import File, Page, Redirection, pack_links
from pybuild.render.context import RenderContext
from pybuild.render.documents import Document, with_url
from pybuild.render.handlers import redirection, stub
from pybuild.render.links import resolution
from pybuild.render.page_links import absolute_html, anchors_of, document_links, hrefs_of, template_links
from pybuild.render.result import Rendered
from pybuild.render.user_code import Context, Stop, kind_of
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.tree import Route
from pybuild.site_files.selection import feed_links
from pybuild.source.dates import rfc3339
from pybuild.urls import variant_urls
from pybuild.web import Redirected


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


def summarise(tools: RenderContext, job: Job, document: Document | None, context: Context) -> Summary:
    """Gather and merge the metadata of one page. Findings: those of `metadata.resolve` and of site code."""
    route = tools.route(job)
    is_page = job.kind == "page"
    language = _language(document)
    facts = PageFacts(
        href=context.url if is_page else "",
        date=_checked_text(document.date if document else None),
        updated=_checked_text(document.updated if document else None),
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


def _checked_text(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""


def _language(document: Document | None) -> str:
    meta: Mapping[str, Any] = document.meta if document else {}
    found = meta.get("language", meta.get("lang", ""))
    return found if isinstance(found, str) else ""


def _site_layers(tools: RenderContext) -> Iterator[Layer]:
    if tools.config.settings.metadata:
        yield Layer(tools.config.settings.metadata, "settings", -1, Location(tools.config.file))


def _layout_layers(tools: RenderContext, job: Job, context: Context) -> Iterator[Layer]:
    for module in tools.route(job).surroundings.layout_modules:
        yield from _said_by(tools, job, module, "layout", context)


def _page_layers(tools: RenderContext, job: Job, context: Context) -> Iterator[Layer]:
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


def _image_layers(tools: RenderContext, job: Job, route: Route) -> Iterator[Layer]:
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


def _said_by(
    tools: RenderContext, job: Job, facts: ModuleFacts, kind: Any, context: Context
) -> Iterator[Layer]:
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


LAYOUT, DOCUMENT, NOT_FOUND = "default/layout.html", "default/document.html", "default/not-found.html"
_OWN = ("children", "document", "head", "page", "params", "site")
_WHOLE = re.compile(r"\s*(?:<!--.*?-->\s*)*(?:<!doctype|<html)\b", re.I | re.S)
_HEAD_END = re.compile(r"</head\s*>", re.I)


@dataclass(frozen=True, slots=True)
class PageView:
    """What templates see as `page`."""

    url: str  # as browsers are given it: root-relative, encoded; "" for the 404 page
    path: str  # decoded
    href: str  # absolute, encoded
    title: str
    description: str
    date: datetime | None = None
    updated: datetime | None = None
    tags: tuple[str, ...] = ()
    variant: str = ""  # URL of the Markdown variant, as browsers are given it
    toc: tuple[Heading, ...] = ()
    collection: str = ""
    language: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageBuild:
    """A page on its way: what its code gave, what it says of itself, and its document."""

    job: Job
    route: Route
    values: Mapping[str, Any]
    document: Document | None
    summary: Summary
    view: PageView

    @property
    def blame(self) -> Location:
        """Where a fault is placed that names no better line."""
        return Location(self.route.file or (self.document.entry.file if self.document else ""))


def render_page(tools: RenderContext, job: Job) -> Rendered:
    """Make one page and its variant. Raises `Stop` with the findings that prevent it."""
    route = tools.route(job)
    loaded = _load(tools, job, route)
    if isinstance(loaded, Redirection):
        return Rendered(files=stub(tools, job, loaded), redirection=loaded)
    values, document = loaded
    summary = summarise(tools, job, document, tools.context(job))
    made = PageBuild(job, route, values, document, summary, _view(tools, job, summary, document))
    html = _with_variant_link(_html(tools, made), made)
    body = document.body if document else None
    anchors = anchors_of(html)
    here = frozenset(anchors)
    given, shared = template_links(tools, job, html, body, here)
    local = {href: found for href, found in body.links.items() if found.link} if body else {}
    return Rendered(
        files=(_write_html(tools, made, html), *_write_variants(tools, made, html)),
        page=_page(tools, made) if job.kind == "page" else None,
        links=pack_links(document_links(job, body, here)),
        anchors="\n".join(("", *anchors, "")),
        assets=tools.library.assets(body) if body else (),
        findings=summary.findings,
        template_links=given,
        template_link_ids=shared,
        document_hrefs="\n".join(local),
        link_digest=resolution(local.values()),
    )


def _load(
    tools: RenderContext, job: Job, route: Route
) -> tuple[Mapping[str, Any], Document | None] | Redirection:
    """Find the page's document and run its `load`."""
    document = tools.document(job)
    if route.module is None or not tools.defines(route.module, "load"):
        return {}, document
    at = route.module.place("load")
    doing = f"load for {job.url}{tools.shown(job)}"
    function = getattr(tools.code.load(route.module.file), "load", None)
    if not callable(function):
        message = f"load is {kind_of(function)}, not a function"
        raise Stop(Diagnostic("invalid-setting", message, at, "write def load(ctx): …"))
    with tools.code.guard("handler-error", at, doing), tools.not_found_is_finding(job, at, doing):
        try:
            given = tools.code.call(function, tools.context(job))
        except Redirected as away:
            return redirection(tools, job, away, at)
    if isinstance(given, Document):
        return {}, with_url(given, job.url)
    if fault := _values_fault(given):
        raise Stop(Diagnostic("bad-response", f"{doing} returned {fault[0]}", at, fault[1]))
    own = given.get("document")
    return given, with_url(own, job.url) if isinstance(own, Document) else document


def _values_fault(given: object) -> tuple[str, str] | None:
    """Why `load` may not return this, and what to do; a document may be given by that name."""
    if not isinstance(given, Mapping):
        return f"{kind_of(given)}, not a mapping or a document", 'return {"name": value, …}'
    if odd := [key for key in given if not isinstance(key, str)]:
        return f"a mapping with the key {odd[0]!r}, which is no name", 'return {"name": value, …}'
    if "document" in given and given["document"] is None:
        return '"document": None', "call not_found() where there is no document, or leave the name out"
    taken = next((name for name in _OWN if name in given and not isinstance(given[name], Document)), None)
    if taken:
        return f'a value named "{taken}", a name that templates are given already', "give it another name"
    return None


def _view(tools: RenderContext, job: Job, summary: Summary, document: Document | None) -> PageView:
    links, slash, is_page = tools.library.links, tools.config.trailing_slash, job.kind == "page"
    return PageView(
        url=links.href(job.url) if is_page else "",
        path=job.url,
        href=tools.absolute(job) if is_page else "",
        title=summary.metadata.name or summary.metadata.title,
        description=summary.metadata.description,
        date=document.date if document else None,
        updated=document.updated if document else None,
        tags=tuple(document.tags) if document else (),
        variant=links.href(variant_urls(job.url, trailing_slash=slash)[0]) if is_page else "",
        toc=document.toc if document else (),
        collection=document.entry.collection if document else "",
        language=summary.language,
        meta=document.meta if document else {},
    )


def _html(tools: RenderContext, made: PageBuild) -> str:
    """Render the page and put it into its layouts, innermost first."""
    params = tools.context(made.job).params
    values = {**made.values, "page": made.view, "params": params, "document": made.document}
    html = tools.templates.render(_template_name(made), values, blame=made.blame)
    if _WHOLE.match(html):
        return html
    values["head"] = made.summary.head
    inner = ""
    for layout in reversed(made.route.surroundings.layouts):
        if _WHOLE.match(html):
            raise Stop(_two_documents(inner, layout))
        html, inner = (
            tools.templates.render(layout, {**values, "children": Markup(html)}, blame=made.blame),
            layout,
        )
    if _WHOLE.match(html):
        return html
    return tools.templates.render(LAYOUT, {**values, "children": Markup(html)}, blame=made.blame)


def _two_documents(inner: str, outer: str) -> Diagnostic:
    message = f"{inner} writes a whole document, and {outer} around it would hold it inside its own"
    hint = f"leave <!doctype>, <html>, <head> and <body> to {outer}, or put the two into route groups side by side"
    return Diagnostic("template-error", message, Location(inner, 1), hint)


def _template_name(made: PageBuild) -> str:
    if made.route.template:
        return made.route.template
    if made.document is not None:
        return DOCUMENT
    if made.job.kind == "not_found":
        return NOT_FOUND
    message = f"{made.route.file} has nothing to show: no page.html or page.md beside it, and load gives no document"
    hint = "write page.html beside it, or return a document from load()"
    at = made.route.module.place("load") if made.route.module else made.blame
    raise Stop(Diagnostic("unknown-export", message, at, hint))


def _with_variant_link(html: str, made: PageBuild) -> str:
    """Name the variant also where a layout leaves `head` out, or the page is a whole document of its own."""
    link = made.summary.variant_link
    if not link or link in html:
        return html
    return _HEAD_END.sub(lambda end: f"{link}\n{end[0]}", html, count=1)


def _write_html(tools: RenderContext, made: PageBuild, html: str) -> File:
    job = made.job
    body = _encoded(html, made)
    return tools.write(tools.page_path(job), body, job, origin=tools.origin(job), is_page=job.kind == "page")


def _encoded(text: str, made: PageBuild) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as fault:
        found = f"U+{ord(text[fault.start]):04X}"
        message = f"{made.job.url} holds the lone surrogate {found}, which UTF-8 cannot carry"
        raise Stop(
            Diagnostic("encoding-error", message, made.blame, "correct the text where it is read")
        ) from None


def _write_variants(tools: RenderContext, made: PageBuild, html: str) -> list[File]:
    """Write the Markdown variant at each of its URLs that the site itself leaves free."""
    job = made.job
    if job.kind != "page":
        return []
    body = _encoded(_variant(tools, made, html), made)
    urls = variant_urls(job.url, trailing_slash=tools.config.trailing_slash)
    free = [url[1:] for url in urls if url[1:] not in tools.taken]
    return [tools.write(path, body, job, origin=tools.origin(job), has_own_url=True) for path in free]


def _variant(tools: RenderContext, made: PageBuild, html: str) -> str:
    """From the document where there is one, else converted from the page's main content."""
    links = tools.library.links
    if made.document is not None:
        source = made.document.body
        body = from_markdown(
            source.markdown,
            links={href: found.absolute for href, found in source.links.items()},
            title=made.view.title,
            html=tools.config.settings.markdown.html,
            outline=source.result.outline,
        )
    else:
        main = main_content(html)
        known = {href: links.published(href, made.job.url) for href in hrefs_of(main)}
        body = from_html(main, base_url=made.view.href, links=known, title=made.view.title)
    summary = made.summary
    front = {
        "title": made.view.title,
        "description": made.view.description,
        "url": made.view.href,
        "lastmod": summary.updated or summary.date,
        "lang": summary.language,
    }
    return compose(body, front={k: v for k, v in front.items() if v}, llms_url=tools.llms_url)


def _page(tools: RenderContext, made: PageBuild) -> Page:
    """What the rest of the site may know of the page."""
    job, view, summary = made.job, made.view, made.summary
    metadata = summary.metadata
    variant = tools.library.links.variant(job.url)
    meta = view.meta
    return Page(
        url=job.url,
        href=view.href,
        path=tools.page_path(job),
        title=view.title,
        variant=variant,
        variant_path=variant_urls(job.url, trailing_slash=tools.config.trailing_slash)[0][1:],
        description=view.description,
        date=summary.date,
        updated=summary.updated,
        language=view.language,
        author=_text(meta.get("author")),
        guid=_text(meta.get("guid")),
        tags=view.tags,
        collection=view.collection,
        group=made.route.surroundings.group,
        indexed=metadata.indexed,
        alternates=metadata.languages,
        images=metadata.images,
        content=_feed_content(made) if job.in_feed else "",
        file=tools.origin(job),
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _feed_content(made: PageBuild) -> str:
    """The document's HTML for a feed, every address absolute."""
    return absolute_html(str(made.document.html), made.view.href) if made.document else ""
