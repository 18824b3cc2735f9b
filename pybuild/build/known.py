"""What is wrong with a site as far as it is known before its code runs: links, includes, rules.

Owns the answer to what a plan will publish, and where that is open: addresses of params that code lists, and ids that
templates make. What is open is taken as right. Renders documents alone, and writes nothing.
Source: docs/ci.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain

from selectolax.lexbor import LexborHTMLParser

from pybuild.build.link_check import Published, check_links, places_in
from pybuild.build.rules import derive, redirect_links
from pybuild.diagnostics import Diagnostic
from pybuild.hosts import TARGETS, compile_rules
from pybuild.plan import Plan
from pybuild.records import LANGUAGE_NAMES, File, Link, Page, pack_links
from pybuild.render.copied_links import file_links, ids_in_copies
from pybuild.render.documents import DocumentIndex, RenderedBody
from pybuild.render.job import PageJob, resolve
from pybuild.render.page_html import read_html
from pybuild.render.page_links import document_links
from pybuild.render.remarks import counted, document_remarks
from pybuild.render.user_code import Stop
from pybuild.render.worker import open_library
from pybuild.render.written import lines_in
from pybuild.routing.segments import Pattern
from pybuild.source.document import Entry
from pybuild.source.reached_templates import Reached, missing_templates, reached, site_file, sure_html
from pybuild.source.site import Site
from pybuild.urls import is_external, page_path, variant_urls

_MADE = re.compile(
    r"(?:^|/)(?:rss|atom|sitemap(?:-\d+)?)\.xml$|(?:^|/)(?:robots|llms[\w-]*)\.txt$|(?:^|/)(?:feed|search)\.json$"
)
_MAKES_HTML = re.compile(r"\|\s*(?:safe|markdown)\b|\.html\b(?!['\"])|\bMarkup\b")
_OWN_HTML = re.compile(r"\bdocument\.html\b")
_SOME_PAGE = Page("/", "", "index.html", "", variant_path="index.md")


def known_findings(site: Site, plan: Plan) -> tuple[Diagnostic, ...]:
    """Find what an export would, without running code of the site."""
    used = dict[str, None]()
    for index in sorted({job.route for job in plan.jobs if job.route >= 0}):
        route = site.routes[index]
        used.update(dict.fromkeys(filter(None, (route.template, *route.surroundings.layouts))))
    templates = tuple(used)
    lacking = [
        one for template in templates for one in missing_templates(reached(site.config.root, template))
    ]
    if site.extensions:  # which may change what documents say and add files
        return (*lacking, *_rules(site, plan))
    documents = _Documents(site, plan)
    documents.add_templates(templates)
    return (*lacking, *documents.findings(), *_rules(site, plan))


@dataclass(frozen=True, slots=True)
class Paths(Collection[str]):
    """The output files that a plan will make; also those of which only code says that it makes them."""

    files: frozenset[str]
    patterns: tuple[re.Pattern[str], ...] = field(default=())  # of addresses whose params code lists

    def __contains__(self, path: object) -> bool:
        name = str(path)
        return (
            name in self.files
            or name.startswith("assets/pybuild/")
            or bool(_MADE.search(name))
            or any(pattern.fullmatch(f"/{name}") for pattern in self.patterns)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def expected_paths(site: Site, plan: Plan) -> Paths:
    """The output files of a plan, before anything is rendered."""
    slash, files = site.config.trailing_slash, {path for path, _ in plan.copies}
    for job in plan.jobs:
        if job.kind == "page":
            files.add(page_path(job.url, trailing_slash=slash))
            files |= {url[1:] for url in variant_urls(job.url, trailing_slash=slash)}
        else:
            files.add("404.html" if job.kind == "not_found" else job.url[1:] or "index")
    patterns = [
        _regex(route.pattern)
        for index, route in enumerate(site.routes)
        if route.pattern.is_dynamic and not site.is_filled(index)
    ]
    many = [re.compile(r"/.*sitemap/[^/]+\.xml")] if any(r.metadata == "sitemap" for r in site.routes) else []
    if site.config.redirect_module:
        many.append(re.compile(r".*", re.S))  # any address may be redirected
    if site.config.settings.build.before:
        many.append(re.compile(r".*\.(?!html$|json$)\w+", re.S))  # any file may be made before an export
    return Paths(frozenset(files), (*patterns, *many))


def _regex(pattern: Pattern) -> re.Pattern[str]:
    """What addresses of a pattern look like, and the files that answer them."""
    text = ""
    for segment in pattern.segments:
        around = re.escape(segment.prefix), re.escape(segment.suffix)
        if segment.kind == "optional_catch_all":
            text += "(?:/.+)?"
        elif segment.is_param:
            text += "/" + around[0] + (".+" if segment.is_catch_all else "[^/]+") + around[1]
        elif segment.kind != "group":
            text += "/" + re.escape(segment.name)
    return re.compile(text + r"(?:/?\.md|\.html|/index\.(?:html|json|md))?/?", re.S)


class _Documents:
    """All documents of a site, rendered, with what they link to."""

    def __init__(self, site: Site, plan: Plan) -> None:
        self._site, self._plan = site, plan
        self._library: DocumentIndex = open_library(site, plan)
        self._reached = cache(lambda name: reached(site.config.root, name))
        self._anchors = dict.fromkeys(plan.pages, "\n\n")
        self._open = set(plan.pages)  # pages whose ids only rendering tells
        self._links: list[Link] = []
        self._files: set[str] = set()  # beside documents
        self._found: list[Diagnostic] = []

    def findings(self) -> tuple[Diagnostic, ...]:
        for job in self._plan.jobs:
            page = resolve(self._site, job, self._plan.root) if job.kind in ("page", "not_found") else None
            if page and page.entry and not page.entry.is_fallback:
                self._library.begin(page.url if page.is_page else "", page.route.locale)
                if body := self._body(page.entry, page.url):
                    ids = self._ids(page)
                    here = frozenset((*body.result.anchors, *(ids or ())))
                    if ids is not None:
                        self._open.discard(page.url)
                    if page.is_page:
                        self._anchors[page.url] = "\n".join(("", *sorted(here), ""))
                    self._links += document_links(page, body, here)
        return (*counted(self._found), *self._broken())

    def _body(self, entry: Entry, url: str) -> RenderedBody | None:
        try:
            body = self._library.body(entry, url)
        except Stop as stop:
            self._found += stop.findings
            return None
        components = self._library.components
        self._found += document_remarks(body, entry.file, components.names if components else ())
        self._files |= {asset.path for asset in self._library.assets(body)}
        return body

    def _ids(self, page: PageJob) -> set[str] | None:
        """The ids that templates give a page; None where only rendering tells."""
        route, found = page.route, set[str]()
        if route.module and "load" in route.module.names:
            return None
        for template in filter(None, (route.template, *route.surroundings.layouts)):
            reads: Reached = self._reached(template)
            if reads.is_open:
                return None
            for source in reads.sources.values():
                ids = [node.attributes["id"] or "" for node in LexborHTMLParser(source).css("[id]")]
                if _MAKES_HTML.search(_OWN_HTML.sub("", source)) or any("{" in ident for ident in ids):
                    return None
                found.update(ids)
        return found

    def add_templates(self, templates: Iterable[str]) -> None:
        """Add what templates load and link to, where they write the whole address in every rendering."""
        root = self._site.config.root
        named = {name: tree for template in templates for name, tree in self._reached(template).trees.items()}
        for name, tree in sorted(named.items()):
            lines: Mapping[str, int] = lines_in(root / site_file(name))
            for text, kind in read_html(sure_html(tree)).addresses:
                is_same = text.startswith("/") or is_external(text)  # on each page
                is_held = kind in LANGUAGE_NAMES or (is_same and not kind)
                found = (
                    self._library.links.led_to(text, "/", named=kind) if is_held and text in lines else None
                )
                if found:
                    self._links.append(Link(found[0], "", site_file(name), lines[text], text, kind))

    def _broken(self) -> tuple[Diagnostic, ...]:
        config, paths = self._site.config, expected_paths(self._site, self._plan)
        known = replace(paths, files=paths.files | self._files)
        redirections = self._plan.redirections
        links = (
            replace(link, fragment="") if (link.target.rstrip("/") or "/") in self._open else link
            for link in chain(self._links, redirect_links(config, redirections))
        )
        copied = file_links(self._library.links, config.root, self._plan.copies)
        address, ids_in = self._library.links.published_page, ids_in_copies(config.root, self._plan.copies)
        published = Published(self._anchors, known, config.rules, redirections, address, ids_in)
        places = places_in(config.root, config.site)
        return check_links([pack_links(chain(links, copied))], published, lambda link: ("", 0), places)


def _rules(site: Site, plan: Plan) -> tuple[Diagnostic, ...]:
    """What is wrong with rules, and what the host cannot do; of files only where all are known."""
    config, paths = site.config, expected_paths(site, plan)
    origins = dict(plan.copies)
    files = {path: File(path, origins.get(path, ""), "", 0) for path in sorted(paths.files)}
    pages = (_SOME_PAGE,) if plan.pages else ()
    is_whole = not paths.patterns and not any(route.kind == "handler" for route in site.routes)
    rules, found = derive(config, pages, files if is_whole else {}, plan.redirections, notable={})
    compiled = compile_rules(TARGETS[config.target], rules, files, config)
    refused = [one for one in compiled.findings if one.code == "unsupported-rule"]
    return (*(one for one in found if one.code != "broken-link"), *refused)
