"""Pages: a document or a template, inside its layouts, and its Markdown variant.

Owns the order in which a page is made. Knows no engine, and of other pages only their URLs.
Source: docs/pages.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pybuild.artifact import File, Page, Redirection, pack_links
from pybuild.diagnostics import Diagnostic, Location
from pybuild.plan import Job
from pybuild.render.feedhtml import absolute_html
from pybuild.render.handlers import redirection, stub
from pybuild.render.library import Document, shown_at
from pybuild.render.links import resolution
from pybuild.render.markdown import Heading
from pybuild.render.pagelinks import anchors_of, document_links, hrefs_of, template_links
from pybuild.render.rendered import Rendered
from pybuild.render.summary import Summary, summarise
from pybuild.render.tools import Tools
from pybuild.render.usercode import Stop, kind_of
from pybuild.render.variants import compose, from_html, from_markdown, main_content
from pybuild.routing.tree import Route
from pybuild.urls import variant_urls
from pybuild.web import Redirected

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
class Made:
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


def render_page(tools: Tools, job: Job) -> Rendered:
    """Make one page and its variant. Raises `Stop` with the findings that prevent it."""
    route = tools.route(job)
    loaded = _load(tools, job, route)
    if isinstance(loaded, Redirection):
        return Rendered(files=stub(tools, job, loaded), redirection=loaded)
    values, document = loaded
    summary = summarise(tools, job, document, tools.context(job))
    made = Made(job, route, values, document, summary, _view(tools, job, summary, document))
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
        given=given,
        shared=shared,
        hrefs="\n".join(local),
        resolved=resolution(local.values()),
    )


def _load(tools: Tools, job: Job, route: Route) -> tuple[Mapping[str, Any], Document | None] | Redirection:
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
        return {}, shown_at(given, job.url)
    if fault := _values_fault(given):
        raise Stop(Diagnostic("bad-response", f"{doing} returned {fault[0]}", at, fault[1]))
    own = given.get("document")
    return given, shown_at(own, job.url) if isinstance(own, Document) else document


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


def _view(tools: Tools, job: Job, summary: Summary, document: Document | None) -> PageView:
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


def _html(tools: Tools, made: Made) -> str:
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


def _template_name(made: Made) -> str:
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


def _with_variant_link(html: str, made: Made) -> str:
    """Name the variant also where a layout leaves `head` out, or the page is a whole document of its own."""
    link = made.summary.variant_link
    if not link or link in html:
        return html
    return _HEAD_END.sub(lambda end: f"{link}\n{end[0]}", html, count=1)


def _write_html(tools: Tools, made: Made, html: str) -> File:
    job = made.job
    body = _encoded(html, made)
    return tools.write(tools.page_path(job), body, job, origin=tools.origin(job), is_page=job.kind == "page")


def _encoded(text: str, made: Made) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as fault:
        found = f"U+{ord(text[fault.start]):04X}"
        message = f"{made.job.url} holds the lone surrogate {found}, which UTF-8 cannot carry"
        raise Stop(
            Diagnostic("encoding-error", message, made.blame, "correct the text where it is read")
        ) from None


def _write_variants(tools: Tools, made: Made, html: str) -> list[File]:
    """Write the Markdown variant at each of its URLs that the site itself leaves free."""
    job = made.job
    if job.kind != "page":
        return []
    body = _encoded(_variant(tools, made, html), made)
    urls = variant_urls(job.url, trailing_slash=tools.config.trailing_slash)
    free = [url[1:] for url in urls if url[1:] not in tools.taken]
    return [tools.write(path, body, job, origin=tools.origin(job), is_aside=True) for path in free]


def _variant(tools: Tools, made: Made, html: str) -> str:
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


def _page(tools: Tools, made: Made) -> Page:
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


def _feed_content(made: Made) -> str:
    """The document's HTML for a feed, every address absolute."""
    return absolute_html(str(made.document.html), made.view.href) if made.document else ""
