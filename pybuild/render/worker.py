"""One worker: everything a process needs to render, and the two programs engines run.

Owns the making of `RenderContext` and the one place where findings replace exceptions of a job. Knows no engine.
"""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pybuild.config.schema import Markdown
from pybuild.diagnostics import Diagnostic, Location, has_errors
from pybuild.fetching import Policy, Session, begin_export, begin_job, end_job
from pybuild.markdown.disk_cache import cached
from pybuild.markdown.engines import engine_of, is_fast
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.plan import Job, Plan
from pybuild.publish.stage import Stage
from pybuild.render.components import SiteComponents
from pybuild.render.context import RenderContext
from pybuild.render.documents import DocumentIndex, set_current_index
from pybuild.render.extensions import Extensions, OwnOutputs
from pybuild.render.handlers import render_handler
from pybuild.render.job import PageJob, resolve
from pybuild.render.links import LinkMap
from pybuild.render.metadata_routes import render_metadata
from pybuild.render.page import render_page
from pybuild.render.redirects import Listed, listed_redirects
from pybuild.render.relayout import relayout
from pybuild.render.result import NOT_REPEATABLE, Rendered, pack
from pybuild.render.static_params import Expanded, expand_route
from pybuild.render.templates import Templates
from pybuild.render.user_code import SiteCode, Stop
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Route
from pybuild.source.languages import NO_TRANSLATIONS, Translations, files_of_languages
from pybuild.source.secrets import masked_findings
from pybuild.source.site import Site

_RENDER: dict[str, Callable[[RenderContext, PageJob], Rendered]] = {
    "page": render_page,
    "not_found": render_page,
    "handler": render_handler,
    "metadata": render_metadata,
}


@dataclass(frozen=True, slots=True)
class ExpandProgram:
    """Enumerates the params of routes; a task is the index of a route, or -1 for the redirects of the site's module."""

    site: Site
    session: Session | None = None  # of fetches

    def start(self) -> Callable[[int], Expanded | Listed]:
        begin_export(self.session)
        code = SiteCode(_enter(self.site), self.site.config.site)
        library, _ = _prepared(self.site, code, frozenset(self.site.files.values()))

        def expand(index: int) -> Expanded | Listed:
            if index < 0:
                begin_job(Policy(deadline=time.monotonic() + self.site.config.settings.build.timeout * 0.9))
                return listed_redirects(code, self.site.config.redirect_module)
            library.begin("", self.site.routes[index].locale)
            begin_job(_policy(self.site, self.site.routes[index]))
            return expand_route(self.site, code, index)

        return expand


Last = tuple[Rendered, int]


class LastRows(Protocol):
    """The rows of the last export, for workers on this machine."""

    def open(self) -> Callable[[int], Last | None]:
        """Give, for the index of a job, its row and how many of its innermost layouts are what they were."""


@dataclass(frozen=True, slots=True)
class RenderProgram:
    """Renders jobs into the stage; a task is the index of a job of the plan."""

    site: Site
    plan: Plan
    stage: Stage
    memo: Path | None = None  # where rendered Markdown is kept
    session: Session | None = None  # of fetches
    last: LastRows | None = None  # of the pages of which only layouts changed

    def start(self) -> Callable[[int], Rendered | bytes]:
        begin_export(self.session)
        context = make_context(self.site, self.plan, self.stage, self.memo)
        jobs, last = self.plan.jobs, self.last.open() if self.last else None
        return lambda index: pack(render(context, jobs[index], last(index) if last else None))


@dataclass(frozen=True, slots=True)
class OutputsProgram:
    """Makes the files that `extensions.py` yields; its only task is 0."""

    work: OwnOutputs
    urls: Set[str]  # of all pages
    session: Session | None = None  # of fetches

    def start(self) -> Callable[[int], Rendered]:
        begin_export(self.session)
        site = self.work.site
        code = SiteCode(_enter(site), site.config.site)
        _prepared(site, code, self.urls)

        def make(_: int) -> Rendered:
            limit = site.config.settings.build.timeout
            begin_job(Policy(None, "auto", time.monotonic() + limit * 0.9))
            made = _with_calls(self.work.make(code), end_job())
            return replace(made, findings=masked_findings(made.findings, site.config.secrets))

        return make


def open_library(site: Site, plan: Plan) -> DocumentIndex:
    """Make what renders documents, without running code of the site."""
    code = SiteCode(site.config.root, site.config.site)
    return _prepared(replace(site, extensions=None), code, plan.pages, None, plan.translations)[0]


def make_context(site: Site, plan: Plan, stage: Stage, memo: Path | None = None) -> RenderContext:
    """Make what rendering works with, and set the library of this process."""
    code = SiteCode(_enter(site), site.config.site)
    library, templates = _prepared(site, code, plan.pages, memo, plan.translations)
    return RenderContext(
        site, stage, code, library, templates, plan.root, plan.taken, translations=plan.translations
    )


def _prepared(
    site: Site,
    code: SiteCode,
    pages: Set[str],
    memo: Path | None = None,
    translations: Translations = NO_TRANSLATIONS,
) -> tuple[DocumentIndex, Templates]:
    """The library and the templates of this process; `pages` are the URLs of all pages."""
    extensions = Extensions(code, site.extensions)
    renderer = _renderer(site.config.settings.markdown, extensions, memo)
    links = link_map(site, pages, translations)
    library = DocumentIndex(site.collections, homes_of(site), renderer, links, site.kept)
    set_current_index(library)
    templates = Templates(site.config, library, code, translations, extensions)
    library.components = SiteComponents(site.config.root, templates)
    return library, templates


def render(context: RenderContext, job: Job, last: Last | None = None) -> Rendered:
    """Do one job; whatever a site author did wrong comes back as findings. `last` as of `LastRows`."""
    os.chdir(context.config.root)  # the last job may have left it
    page = resolve(context.site, job, context.root)
    begin_job(_policy(context.site, page.route))
    context.library.begin(page.url if page.is_page else "", page.route.locale)
    try:
        made = (last and relayout(context, page, *last)) or _RENDER[job.kind](context, page)
    except Stop as stop:
        made = Rendered(findings=stop.findings, keeps=stop.keeps)
    except RecursionError:
        message = f"{page.url} nests deeper than Python can follow"
        made = Rendered(
            findings=(Diagnostic("template-error", message, Location(page.origin), "nest less deep"),)
        )
    fetches, secrets = end_job(), context.config.secrets
    made = _with_calls(made, fetches)
    if fetches.keeps and not has_errors(made.findings):
        made = replace(made, keeps=True)
    return (
        replace(made, findings=masked_findings(made.findings, secrets)) if made.findings and secrets else made
    )


def _with_calls(made: Rendered, fetches: Policy) -> Rendered:
    """The row with what its code fetched."""
    if not fetches.calls and fetches.is_repeatable:
        return made
    calls = tuple(sorted(fetches.calls.items()))
    return replace(made, fetched=calls if fetches.is_repeatable else NOT_REPEATABLE)


def _policy(site: Site, route: Route) -> Policy:
    """What a route's module says of its fetches; they end before the page itself is too late."""
    said: dict[str, Any] = {}
    if route.module:
        said = {name: setting.value for name, setting in route.module.settings.items()}
    limit = said.get("max_duration", site.config.settings.build.timeout)
    return Policy(said.get("revalidate"), said.get("fetch_cache", "auto"), time.monotonic() + limit * 0.9)


def _enter(site: Site) -> Path:
    """Work in the site's folder, as its code expects, and with the memory that the settings allow."""
    limit = site.config.settings.build.memory << 20
    if limit and site.config.engine != "serial":
        with contextlib.suppress(ValueError, OSError):  # a system without such limits, or with a lower one
            resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    os.chdir(site.config.root)
    return site.config.root


def homes_of(site: Site) -> dict[str, tuple[str, str]]:
    """For each collection its folder and the decoded URL that folder stands for."""
    return {
        name: (
            site.config.settings.collections[name].source.strip("/"),
            Pattern(pattern.segments[:-1]).fill({}),
        )
        for name, pattern in site.patterns.items()
    }


def link_map(site: Site, pages: Set[str], translations: Translations = NO_TRANSLATIONS) -> LinkMap:
    """Where links of the site lead; `pages` and `translations` are those of the plan."""
    localized = files_of_languages(site.config, site.routes, site.collections)
    return LinkMap(site.config, site.files, pages, localized, translations.stand_ins)


def _renderer(settings: Markdown, extensions: Extensions, memo: Path | None) -> MarkdownRenderer:
    """What the settings ask for. A fast engine is as fast as reading what it once made; one with plugins is not kept."""
    if own := extensions.engine():
        return MarkdownRenderer(settings, engine=own, has_plugins=True)
    engine = engine_of(settings.engine)
    if memo is not None and not is_fast(settings.engine):
        engine = cached(engine, memo)
    return MarkdownRenderer(settings, engine=engine)
