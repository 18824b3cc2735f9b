"""Pages: a document or a template, inside its layouts, and its Markdown variant.

Owns the order in which a page is made. Knows no engine, and of other pages only their URLs.
Source: docs/pages.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pybuild.diagnostics import Diagnostic, Location
from pybuild.markdown.finish import Heading
from pybuild.markdown.from_html import compose, from_html, main_content
from pybuild.markdown.rewrite import rewritten
from pybuild.records import File, Page, Redirection, pack_links
from pybuild.render.around import Around, Crumb, NamedLink
from pybuild.render.context import RenderContext
from pybuild.render.documents import Document, with_url
from pybuild.render.handlers import WHOLE_PAGE, redirection, stub
from pybuild.render.job import PageJob
from pybuild.render.layouts import Child, in_layouts, places_in
from pybuild.render.links import Asset, resolution
from pybuild.render.listing_values import Listed, list_values, listed
from pybuild.render.nav_nodes import NavNode
from pybuild.render.page_html import NOWHERE, PageHtml
from pybuild.render.page_links import (
    KnownText,
    absolute_html,
    document_links,
    first_heading,
    headings_of,
    hrefs_of,
    read_page,
    template_links,
)
from pybuild.render.page_metadata import Summary, summarise
from pybuild.render.remarks import document_remarks
from pybuild.render.result import Rendered
from pybuild.render.user_code import Stop, kind_of
from pybuild.source.lists import people_of
from pybuild.urls import is_external
from pybuild.web import Redirected

UNTRANSLATED = "default/untranslated.html"
DOCUMENT, NOT_FOUND = "default/document.html", "default/not-found.html"
_OWN = ("children", "document", "head", "page", "params", "site")
_HEAD_END = re.compile(r"</head\s*>", re.I)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
    _document: Document | None = None
    collection: str = ""
    language: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    around: Around | None = None
    is_searched: bool = True
    has_look: bool = True  # no layout of the site is around it
    original: str = ""  # the page that it replaces, where it is not translated
    text_language: str = ""  # of its text, which is that of the default there

    @property
    def toc(self) -> tuple[Heading, ...]:
        """The headings below the title, nested."""
        return self._document.toc if self._document else ()

    @property
    def prev(self) -> NavNode | None:
        """The document before it."""
        return self.around.neighbours[0] if self.around else None

    @property
    def next(self) -> NavNode | None:
        """The document behind it."""
        return self.around.neighbours[1] if self.around else None

    @property
    def parents(self) -> tuple[NavNode, ...]:
        """The folders around it, outermost first."""
        return self.around.parents if self.around else ()

    @property
    def breadcrumb(self) -> tuple[Crumb, ...]:
        """Its collection and the folders around it."""
        return self.around.breadcrumb if self.around else ()

    @property
    def terms(self) -> tuple[NamedLink, ...]:
        """Its tags, each with the address of its page."""
        return self.around.terms if self.around else ()

    @property
    def authors(self) -> tuple[NamedLink, ...]:
        """Its authors, each with the address of its page."""
        return self.around.authors if self.around else ()

    @property
    def related(self) -> list[Document]:
        """Documents with the same tags."""
        return self.around.related if self.around else []

    @property
    def edit(self) -> str:
        """Where its source can be edited."""
        return self.around.edit if self.around else ""


@dataclass(frozen=True, slots=True)
class PageBuild:
    """A page on its way: what its code returned, its metadata, and its document."""

    page: PageJob
    values: Mapping[str, Any]
    document: Document | None
    summary: Summary
    view: PageView
    listed: Listed | None = None  # what a built-in page shows

    @property
    def blame(self) -> Location:
        """Where a fault is placed that names no better line."""
        return Location(self.page.route.file or (self.document.entry.file if self.document else ""))


def render_page(context: RenderContext, page: PageJob) -> Rendered:
    """Make one page and its variant. Raises `Stop` with the findings that prevent it."""
    context.library.used.clear()
    if page.route.is_fallback:
        context.library.words_locale = ""  # its text is that of the default language
    loaded = _load(context, page)
    if isinstance(loaded, Redirection):
        return Rendered(files=stub(context, page, loaded), redirection=loaded)
    values, document = loaded
    listing = listed(context.library, page.route, page.job) if page.route.listing else None
    summary = summarise(context, page, document, listing)
    view = view_of(context, page, summary, document, listing)
    made = PageBuild(page, values, document, summary, view, listing)
    body = document.body if document else None
    text = _bare(context, made)
    made = _titled(context, made, text)
    summary = made.summary
    html, children = _around(context, made, text)
    html = with_variant_link(html, summary)
    known = KnownText.of(body) if body else None
    own = context.library.assets(body) if body else ()
    assets = dict.fromkeys((*own, *context.library.used))
    pictures = context.pictures.shown(html, page.url, assets)
    html = pictures.html
    read = read_page(html, known)
    here = frozenset(read.ids)
    links, link_ids = template_links(context, page, read, known, here)
    local = (
        {href: found for href, found in body.links.items() if found.link or not is_external(href)}
        if body
        else {}
    )
    written = context.write(page.path, encoded(html, made), page, is_page=page.is_page)
    names = context.library.components.names if context.library.components else ()
    return Rendered(
        files=(
            written,
            *_write_variants(context, made, html),
            *pictures.files.values(),
            *([summary.card] if summary.card else ()),
        ),
        page=_page(context, made, html) if page.is_page else None,
        links=pack_links(document_links(page, body, here) if body else ()),
        anchors="\n".join(("", *read.ids, "")) if page.is_page else "",
        assets=tuple(assets),
        findings=(
            *summary.findings,
            *(document_remarks(body, document.entry.file, names) if document and body else ()),
        ),
        template_links=links,
        template_link_ids=link_ids,
        document_hrefs="\n".join(local),
        link_digest=resolution(local.values()),
        pictures="\n".join(dict.fromkeys((*summary.sizes, *pictures.said))),
        places=_places(context, made, html, read, known, children, own),
    )


def _places(
    context: RenderContext,
    made: PageBuild,
    html: str,
    read: PageHtml,
    known: KnownText | None,
    children: Sequence[Child],
    assets: Sequence[Asset],
) -> tuple[int, ...]:
    """Where the page holds what its layouts stand around; nothing for one of which more than its HTML may depend on them."""
    page, used = made.page, list(context.library.used)
    of_others = page.route.module or page.route.listing or made.view.original or _listing(context, made)
    if not (page.is_page and page.entry and made.document and known) or of_others:
        return ()
    if read.document == NOWHERE or not known.is_found_again:
        return ()
    ids = frozenset(read.ids).difference(known.ids or ())
    leads = (found.link for found in made.document.body.found if found.link) if ids else ()
    if any(link.fragment in ids and link.target == page.url for link in leads):  # to what a layout writes
        return ()
    counted = [(text, len({*assets, *used[:number]})) for text, number in children]
    return places_in(html, made.summary.head, read.document, counted)


def _load(context: RenderContext, page: PageJob) -> tuple[Mapping[str, Any], Document | None] | Redirection:
    """Find the page's document and run its `load`."""
    document = context.document(page)
    module = page.route.module
    if module is None or not context.defines(module, "load"):
        return {}, document
    at = module.place("load")
    doing = f"load for {page.url}{page.shown_params}"
    function = getattr(context.code.load(module.file), "load", None)
    if not callable(function):
        message = f"load is {kind_of(function)}, not a function"
        raise Stop(Diagnostic("invalid-setting", message, at, "write def load(ctx): …"))
    with context.code.guard("handler-error", at, doing), context.not_found_is_finding(page, at, doing):
        try:
            loaded = context.code.call(function, page.ctx)
        except Redirected as away:
            return redirection(context, page, away, at)
    if isinstance(loaded, Document):
        return {}, with_url(loaded, page.url)
    if fault := _values_fault(loaded):
        raise Stop(Diagnostic("bad-response", f"{doing} returned {fault[0]}", at, fault[1]))
    own = loaded.get("document")
    return loaded, with_url(own, page.url) if isinstance(own, Document) else document


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


def view_of(
    context: RenderContext,
    page: PageJob,
    summary: Summary,
    document: Document | None,
    listing: Listed | None = None,
) -> PageView:
    """What templates know of a page."""
    links, is_page = context.library.links, page.is_page
    collection = document.entry.collection if document else listing.collection if listing else ""
    language = summary.language or context.page_config.site.language
    original = context.original(page, document)
    return PageView(
        url=links.href(page.url) if is_page else "",
        path=page.url,
        href=page.href if is_page else "",
        title=summary.metadata.name or summary.metadata.title,
        description=summary.metadata.description,
        date=document.date if document else None,
        updated=document.updated if document else None,
        tags=tuple(document.tags) if document else (),
        variant=summary.variant_href,
        _document=document,
        collection=collection.partition("@")[0],
        language=context.page_config.site.language if original else language,
        meta=document.meta if document else {},
        around=Around(context.library, page.url, collection, document) if is_page else None,
        is_searched=is_page
        and not (original or page.route.listing)
        and summary.metadata.indexed
        and (document is None or document.meta.get("search") is not False),
        has_look=not page.route.surroundings.layouts,
        original=links.href(original) if original else "",
        text_language=(summary.language or context.config.site.language) if original else language,
    )


def _bare(context: RenderContext, made: PageBuild) -> str:
    """Render the page without its layouts."""
    library = context.library
    library.words_locale = "" if made.view.original else library.locale
    html = context.templates.render(_template_name(made), _values(context, made), blame=made.blame)
    library.words_locale = library.locale
    return html


def _values(context: RenderContext, made: PageBuild) -> dict[str, Any]:
    given = {"page": made.view, "params": made.page.ctx.params, "document": made.document}
    return {**made.values, **_listing(context, made), **given}


def _titled(context: RenderContext, made: PageBuild, html: str) -> PageBuild:
    """The page, named by its heading where it has a template and nothing names it; home pages have the title of the site."""
    page = made.page
    is_home = page.url in ("/", f"/{page.route.locale}")
    if made.summary.metadata.has_title or not page.route.template or is_home:
        return made
    if not (heading := first_heading(html)):
        return made
    summary = summarise(context, page, made.document, heading=heading)
    return replace(made, summary=summary, view=view_of(context, page, summary, made.document))


def _around(context: RenderContext, made: PageBuild, html: str) -> tuple[str, Sequence[Child]]:
    """Put the text of a page into its layouts."""
    if WHOLE_PAGE.match(html):
        return html, ()
    values = _values(context, made)
    if made.view.original:
        html = context.templates.render(UNTRANSLATED, {**values, "children": Markup(html)}, blame=made.blame)
    values["head"] = made.summary.head
    return in_layouts(context, made.page, values, html, blame=made.blame)


def _listing(context: RenderContext, made: PageBuild) -> Mapping[str, Any]:
    """What a built-in page shows, or the list that the index document of a collection begins."""
    if made.listed:
        return made.listed.values
    entry = made.page.entry
    settings = context.config.settings.collections.get(entry.collection) if entry else None
    if entry is None or settings is None or not settings.list or entry.slug or entry.is_fallback:
        return {}
    return list_values(context.library, context.library.lists.index_page(entry.collection))


def _template_name(made: PageBuild) -> str:
    if made.page.route.template:
        return made.page.route.template
    if made.listed:
        return made.listed.template
    if made.document is not None:
        return DOCUMENT
    if made.page.job.kind == "not_found":
        return NOT_FOUND
    message = f"{made.page.route.file} has nothing to show: no page.html or page.md beside it, and load gives no document"
    hint = "write page.html beside it, or return a document from load()"
    at = made.page.route.module.place("load") if made.page.route.module else made.blame
    raise Stop(Diagnostic("unknown-export", message, at, hint))


def with_variant_link(html: str, summary: Summary) -> str:
    """Name the variant also where a layout leaves `head` out, or the page is a whole document of its own."""
    link = summary.variant_link
    if not link or link in html:
        return html
    return _HEAD_END.sub(lambda end: f"{link}\n{end[0]}", html, count=1)


def encoded(text: str, made: PageBuild) -> bytes:
    """The bytes of a file of the page. Raises `Stop` with `encoding-error`."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as fault:
        found = f"U+{ord(text[fault.start]):04X}"
        message = f"{made.page.url} holds the lone surrogate {found}, which UTF-8 cannot carry"
        raise Stop(
            Diagnostic("encoding-error", message, made.blame, "correct the text where it is read")
        ) from None


def _write_variants(context: RenderContext, made: PageBuild, html: str) -> list[File]:
    """Write the Markdown variant at each of its URLs that the site itself leaves free."""
    page = made.page
    if not page.variants:
        return []
    body = encoded(_variant(context, made, html), made)
    free = [url[1:] for url in page.variants if url[1:] not in context.taken]
    return [context.write(path, body, page, has_own_url=True) for path in free]


def _variant(context: RenderContext, made: PageBuild, html: str) -> str:
    """From the document where there is one, else converted from the page's main content."""
    links = context.library.links
    if made.document is not None:
        source = made.document.body
        own = {href: found.absolute for href, found in source.links.items()}
        ours = hrefs_of(source.result.html) if source.result.source is not None else ()  # of components too
        body = rewritten(
            source.source,
            links={href: links.published(href, made.page.url) for href in ours} | own,
            found=(href for href, _ in source.result.links),
            h1s=source.result.h1s,
            title=made.view.title,
        )
    else:
        main = main_content(html)
        known = {href: links.published(href, made.page.url) for href in hrefs_of(main)}
        body = from_html(
            main,
            base_url=made.view.href,
            links=known,
            title=made.view.title,
            words=context.library.label,
        )
    summary = made.summary
    front = {
        "title": made.view.title,
        "description": made.view.description,
        "url": made.view.href,
        "date": summary.date,
        "lastmod": summary.updated or summary.date,
        "lang": summary.language,
    }
    return compose(body, front={k: v for k, v in front.items() if v}, llms_url=context.llms_url)


def _flat(headings: Iterable[Heading]) -> list[tuple[str, str]]:
    """The headings below the title with their ids."""
    found: list[tuple[str, str]] = []
    for heading in headings:
        if heading.level > 1:
            found.append((heading.text, heading.id))
        found += _flat(heading.children)
    return found


_MAPS = ("home", "folders")  # built-in pages that show where texts are: an index of the site names them


def _page(context: RenderContext, made: PageBuild, html: str) -> Page:
    """What the rest of the site may know of the page."""
    page, view, summary = made.page, made.view, made.summary
    metadata, meta, document, guid = summary.metadata, view.meta, made.document, view.meta.get("guid")
    listing = page.route.listing
    headings: Sequence[tuple[str, str]] = ()
    if view.is_searched:
        headings = _flat(document.toc) if document else headings_of(html)
    return Page(
        url=page.url,
        href=view.href,
        path=page.path,
        title=view.title,
        variant=context.library.links.variant(page.url) if page.variants else "",
        variant_path=page.variants[0][1:] if page.variants else "",
        description=view.description,
        date=summary.date,
        updated=summary.updated,
        language=summary.language,
        locale=page.route.locale,
        authors=people_of(meta),
        guid=guid.strip() if isinstance(guid, str) else "",
        headings=_JSON(headings) if view.is_searched else "",
        is_searched=view.is_searched,
        in_sitemap=meta.get("sitemap") is not False,
        in_llms=(listing is None or listing.kind in _MAPS) and meta.get("llms") is not False,
        tags=view.tags,
        collection=view.collection,
        group=page.route.surroundings.group,
        indexed=metadata.indexed and not view.original,
        alternates=metadata.languages,
        images=metadata.images,
        content=absolute_html(str(document.html), view.href) if document and page.job.in_feed else "",
        file=page.origin,
    )
