"""The build: the phases from reading the site to a full stage, in their order.

Owns the gate between phases: a phase returns its value and all its findings, and an error ends the build
before the next one. Knows what no phase does, and publishes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from pybuild import linkcheck, outputs, run
from pybuild.artifact import Artifact, Files, Link, Redirection, pack_links
from pybuild.cache.memory import NoMemory
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic, has_errors, made_strict
from pybuild.front import ReadFront, read_front
from pybuild.plan import make_plan
from pybuild.publish import Stage
from pybuild.render.rendered import Rows
from pybuild.render.worker import RenderProgram
from pybuild.routing.check import check
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Tree
from pybuild.rules.derive import derive
from pybuild.rules.model import RuleSet
from pybuild.site import Site, discover

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Built:
    """A whole site, staged."""

    files: Files
    pages: int
    rules: RuleSet
    deploy: tuple[Artifact, ...]  # what the host wants beside the site; not staged yet
    reasons: Mapping[
        str, str
    ]  # for each URL that is asked for why it was rendered; "" where it was taken over


_NO_MEMORY = NoMemory()


class Closed(Exception):
    """An error was found; the next phase must not run."""


class Gate:
    """Collects findings and closes on errors."""

    def __init__(self, *, strict: bool) -> None:
        self.findings: list[Diagnostic] = []
        self._strict = strict

    def __call__(self, value: V, findings: Sequence[Diagnostic]) -> V:
        """Pass the value on, or raise `Closed`."""
        self.findings += made_strict(findings) if self._strict else findings
        if has_errors(self.findings):
            raise Closed
        return value


def discovered(config: Config, gate: Gate, fronts: ReadFront = read_front) -> tuple[Site, Tree]:
    """Read and check the whole site, so that all findings of all files come in one run."""
    site, tree, findings = discover(config, fronts)
    gate(None, (*findings, *check(tree, config.settings.collections)))
    return site, tree


def build(
    config: Config, stage: Stage, gate: Gate, watch: run.Watch, *, memory: NoMemory = _NO_MEMORY
) -> Built:
    """Make every file of the site and of its target in the stage, but for what `memory` has of it."""
    planned = _planned(config, stage, gate, watch, memory)
    staged, redirections = _staged(config, stage, gate, watch, planned)
    rules = gate(*derive(config, staged.pages, staged.files, redirections))
    compiled = gate(*outputs.compile_target(rules, staged.files, config))
    files = staged.files | {artifact.path: outputs.write(stage, artifact) for artifact in compiled.site}
    watch.lap("rules")
    return Built(files, len(staged.pages), rules, tuple(compiled.deploy), planned.reasons)


@dataclass(frozen=True, slots=True)
class _Planned:
    """What came of a plan."""

    rows: Rows
    copies: tuple[tuple[str, str], ...]  # as in `Plan`
    links: tuple[Link, ...]  # of templates, on pages that were taken over
    reasons: Mapping[str, str]  # as in `Built`


def _planned(config: Config, stage: Stage, gate: Gate, watch: run.Watch, memory: NoMemory) -> _Planned:
    """Read, plan and render the site. Of what was needed for that nothing is held afterwards."""
    site, tree = discovered(config, gate, memory.front)
    watch.lap("discover")
    params = gate(*run.expand(site, watch))
    watch.lap("expand")
    plan = gate(*make_plan(site, params, tree.around(Pattern())))
    watch.lap("plan")
    split = memory.split(site, plan, stage)
    watch.lap("cache")
    program = RenderProgram(site, plan, stage, memory.memo)
    rows = gate(*run.render(program, split.tasks, split.rows, watch))
    watch.lap("render")
    memory.note(rows)
    watch.lap("cache")
    asked = ((index, job.url) for index, job in enumerate(plan.jobs) if job.url in watch.asked)
    reasons = {url: split.reasons.get(index, "") for index, url in asked}
    return _Planned(rows, plan.copies, split.links, reasons)


def _staged(
    config: Config, stage: Stage, gate: Gate, watch: run.Watch, planned: _Planned
) -> tuple[outputs.Outputs, Sequence[Redirection]]:
    """Stage what is not rendered, and check the links. The redirections are those that site code answered with."""
    made = outputs.Answers(planned.rows, planned.links)
    staged = gate(*outputs.stage_outputs(config, planned.copies, made, stage))
    watch.lap("outputs")
    gate(None, _check_links(staged, made, config))
    watch.lap("links")
    return staged, made.redirections


def _check_links(staged: outputs.Outputs, made: outputs.Answers, config: Config) -> tuple[Diagnostic, ...]:
    packed = chain(made.links, [pack_links(made.given)])
    return linkcheck.check_links(packed, made.anchors, staged.files, config.rules, made.shown_on)
