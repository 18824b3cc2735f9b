"""The build: the phases from reading the site to a full stage, in their order.

Owns the gate between phases: a phase returns its value and all its findings, and an error ends the build
before the next one. Knows what no phase does, and publishes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeVar

from pybuild.build import outputs
from pybuild.build.full_text import index_of
from pybuild.build.link_check import Published, check_links, places_in
from pybuild.build.reading import read_documents
from pybuild.build.rules import derive, redirect_links
from pybuild.build.runs import Observer, expand, ignore, own_outputs, render, with_redirects
from pybuild.build.target import compile_target
from pybuild.cache.inputs import check_inputs
from pybuild.cache.session import NullCache
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, has_errors, made_strict
from pybuild.fetching import Session, open_session
from pybuild.fetching import figures as fetch_figures
from pybuild.look.files import look_faults
from pybuild.plan import make_plan
from pybuild.publish import Stage
from pybuild.records import Artifact, Files, Link, Redirection, pack_links
from pybuild.render.copied_links import file_links, ids_in_copies
from pybuild.render.data import check_data
from pybuild.render.links import LinkMap
from pybuild.render.result import Rows
from pybuild.render.worker import RenderProgram, homes_of
from pybuild.routing.checks import check
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Tree
from pybuild.rules.model import RuleSet
from pybuild.site_files import ExtraFeed, SiteOrder
from pybuild.site_files.variants import Parts
from pybuild.source.built_in import term_feeds
from pybuild.source.document import ReadFront, read_front
from pybuild.source.site import Site, discover
from pybuild.source.site_lists import SiteLists

_NULL_CACHE = NullCache()
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Built:
    """A whole site, staged."""

    files: Files
    pages: int
    rules: RuleSet
    deploy: tuple[Artifact, ...]  # what the host wants beside the site; not staged yet
    reasons: Mapping[str, str]  # why each URL that is asked for was rendered; "" where it was taken over


class BuildFailed(Exception):
    """A phase found an error; the next one must not run."""


class PhaseGate:
    """The findings of all phases so far; an error keeps the next phase from running."""

    def __init__(self, *, strict: bool) -> None:
        self.findings: list[Diagnostic] = []
        self._strict = strict

    def check(self, findings: Sequence[Diagnostic]) -> None:
        """Add the findings of a phase. Raises `BuildFailed` where an error is among them."""
        self.findings += made_strict(findings) if self._strict else findings
        if has_errors(self.findings):
            raise BuildFailed

    def unwrap(self, value: V, findings: Sequence[Diagnostic]) -> V:
        """Check the findings of a phase, and return its value."""
        self.check(findings)
        return value


def discovered(config: Config, gate: PhaseGate, fronts: ReadFront = read_front) -> tuple[Site, Tree]:
    """Read and check the whole site, so that all findings of all files come in one run."""
    site, tree, findings = discover(config, fronts)
    found = check(tree, config.settings.collections)
    if not config.is_readable:  # a collection may give the params
        found = tuple(one for one in found if one.code != "missing-static-params")
    findings += found
    gate.check(
        (
            *findings,
            *look_faults(config),
            *check_inputs(config, site.routes, site.extensions),
            *check_data(config.root),
        )
    )
    return site, tree


def build(
    config: Config, stage: Stage, gate: PhaseGate, observer: Observer, *, cache: NullCache = _NULL_CACHE
) -> Built:
    """Make every file of the site and of its target in the stage, but for what `cache` has of it."""
    options, own = config.options, config.site.url
    folder = config.state / "fetch"
    with open_session(folder, offline=options.offline, is_read=options.cache, own_url=own) as session:
        planned = _planned(config, stage, gate, observer, cache, session)
        config = planned.config
        staged, redirections = _staged(config, stage, gate, observer, planned)
        for name, number in fetch_figures(session) if observer.count is not ignore else ():
            observer.count(f"fetch: {name}", number)
    reading = partial(outputs.read_output, stage)
    rules = gate.unwrap(*derive(config, staged.pages, staged.files, redirections, reading))
    compiled = gate.unwrap(*compile_target(rules, staged.files, config))
    files = staged.files | {artifact.path: outputs.write(stage, artifact) for artifact in compiled.site}
    observer.lap("rules")
    return Built(files, len(staged.pages), rules, tuple(compiled.deploy), planned.reasons)


@dataclass(frozen=True, slots=True)
class _Planned:
    """What came of a plan."""

    rows: Rows
    copies: tuple[tuple[str, str], ...]  # as in `Plan`
    links: tuple[Link, ...]  # of templates, on pages that were taken over
    reasons: Mapping[str, str]  # as in `Built`
    order: SiteOrder
    config: Config  # with the redirects that site code lists
    redirections: tuple[Redirection, ...] = ()  # as in `Plan`
    extend: outputs.Extend | None = None
    parts: Parts | None = None  # of long texts


def _planned(
    config: Config, stage: Stage, gate: PhaseGate, observer: Observer, cache: NullCache, session: Session
) -> _Planned:
    """Read, plan and render the site. Of what was needed for that nothing is held afterwards."""
    cache.read_ahead(read_documents(config, cache.unread()))
    site, tree = discovered(config, gate, cache.front)
    observer.lap("discover")
    site, config = gate.unwrap(*with_redirects(site, observer, session))
    params = gate.unwrap(*expand(site, observer, session))
    observer.lap("expand")
    plan = gate.unwrap(*make_plan(site, params, tree.around(Pattern())))
    observer.lap("plan")
    found = cache.lookup(site, plan, stage, session)
    observer.lap("cache")
    program = RenderProgram(site, plan, stage, cache.memo, session, found.last)
    rows = gate.unwrap(*render(program, found.tasks, found.rows, observer, cache.note))
    observer.lap("render")
    cache.record(rows)
    observer.lap("cache")
    asked = ((index, job.url) for index, job in enumerate(plan.jobs) if job.url in observer.asked)
    reasons = {url: found.reasons.get(index, "") for index, url in asked}
    order = site_order(site, plan.pages, found.lists)
    extend = own_outputs(site, plan.pages, stage, observer, session, cache.record_outputs)
    return _Planned(
        rows, plan.copies, found.links, reasons, order, config, plan.redirections, extend, cache.parts
    )


def site_order(site: Site, pages: Set[str], lists: SiteLists | None = None) -> SiteOrder:
    """What the site-wide files know of documents: the order of reading, folders, and the feeds of tags."""
    bases = {name: base for name, (_, base) in homes_of(site).items()}
    lists = lists or SiteLists(site.config, site.collections, bases, pages)
    sections: dict[str, tuple[int, str]] = {}
    for name in site.collections if site.config.settings.llms.enabled else ():
        tree = lists.navigation(name)
        sections.update({url: (tree.rank(url), label) for url, label in tree.sections().items()})
    feeds = tuple(
        ExtraFeed(feed.url, feed.name, tuple(entry.url for entry in feed.entries))
        for feed in term_feeds(site.collections, site.config)
    )
    return SiteOrder(sections, feeds=feeds)


def _staged(
    config: Config, stage: Stage, gate: PhaseGate, observer: Observer, planned: _Planned
) -> tuple[outputs.Outputs, Sequence[Redirection]]:
    """Stage what is not rendered, and check the links. The redirections are those that site code answered with."""
    made = outputs.RenderResults(planned.rows, planned.links)
    staged = gate.unwrap(
        *outputs.stage_outputs(
            config,
            planned.copies,
            made,
            stage,
            planned.order,
            planned.redirections,
            planned.extend,
            index_of(config, stage),
            planned.parts,
        )
    )
    observer.lap("outputs")
    gate.check(check_site_links(staged, made, config, planned.redirections, planned.copies))
    observer.lap("links")
    return staged, (*made.redirections, *planned.redirections)


def check_site_links(
    staged: outputs.Outputs,
    made: outputs.RenderResults,
    config: Config,
    redirections: Iterable[Redirection],
    copies: Iterable[tuple[str, str]],
) -> tuple[Diagnostic, ...]:
    """Find the links of all pages that lead nowhere, and those of files that are copied; `copies` as in `Plan`."""
    links = LinkMap(config, {}, frozenset(page.url for page in staged.pages))
    copied = file_links(links, config.root, copies)
    redirections = (*made.redirections, *redirections)
    redirects = redirect_links(config, redirections)
    packed = chain(made.links, [pack_links(made.template_links), pack_links(chain(copied, redirects))])
    ids_in = ids_in_copies(config.root, copies)
    published = Published(
        made.anchors, staged.files, config.rules, redirections, links.published_page, ids_in
    )
    return check_links(packed, published, made.first_page_with, places_in(config.root, config.site))
