"""The export: the order of its phases, and nothing else.

Owns the gate between phases: a phase returns its value and all its findings, and an error ends the export
before the next one, with the old output as it was. Knows what no phase does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from pybuild import linkcheck, outputs, publication, publish, run
from pybuild.artifact import File
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic, arrange, has_errors, made_strict
from pybuild.plan import make_plan
from pybuild.publish import Stage
from pybuild.render.rendered import Rendered
from pybuild.routing.check import check
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Tree
from pybuild.rules.derive import derive
from pybuild.site import Site, discover
from pybuild.targets import Compiled

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export."""

    findings: tuple[Diagnostic, ...]  # sorted
    pages: int = 0
    files: int = 0
    written: int = 0

    @property
    def ok(self) -> bool:
        return not has_errors(self.findings)


class _Closed(Exception):
    """An error was found; the next phase must not run."""


class _Gate:
    """Collects findings and closes on errors."""

    def __init__(self, *, strict: bool) -> None:
        self.findings: list[Diagnostic] = []
        self._strict = strict

    def __call__(self, value: V, findings: Sequence[Diagnostic]) -> V:
        self.findings += made_strict(findings) if self._strict else findings
        if has_errors(self.findings):
            raise _Closed
        return value


def export(config: Config, watch: run.Progress, printed: run.Printed) -> Exported:
    """Make and publish the site; the findings say why it was not."""
    gate = _Gate(strict=config.options.strict)
    done = Exported(())
    try:
        with ExitStack() as stack:
            done = _export(config, gate, stack, watch, printed)
    except _Closed:
        pass
    except OSError as fault:
        gate.findings.append(publish.publish_error(fault, "stage the site, the output is as it was"))
    return Exported(arrange(gate.findings), done.pages, done.files, done.written)


def check_site(config: Config) -> tuple[Site | None, tuple[Diagnostic, ...]]:
    """Do all that can be done without running site code. The site is None where it has errors."""
    gate = _Gate(strict=config.options.strict)
    try:
        site = _discovered(config, gate)
    except _Closed:
        return None, arrange(gate.findings)
    return site[0], arrange(gate.findings)


def _export(
    config: Config, gate: _Gate, stack: ExitStack, watch: run.Progress, printed: run.Printed
) -> Exported:
    gate(None, check_output(config))
    gate(None, stack.enter_context(publish.exclusive(config.root)))
    output = publish.output_at(config.root, config.out)
    gate(None, publish.recover(output))
    site, tree = _discovered(config, gate)
    params = gate(*run.expand(site, watch, printed))
    plan = gate(*make_plan(site, params, tree.around(Pattern())))
    previous = publish.load_manifest(output)
    stage = _stage(output, previous, gate, stack)
    rows = gate(*run.render(site, plan, stage, watch, printed))
    made = gate(*outputs.stage_outputs(site, plan, rows, stage))
    gate(None, _check_links(made, rows, config))
    rules = gate(*derive(config, made.pages, made.files, [r.redirection for r in rows if r.redirection]))
    compiled = gate(*outputs.compile_target(rules, made.files, config))
    files = [*made.files, *(outputs.write(stage, artifact) for artifact in compiled.site)]
    gate(None, publish.shrink_findings(previous.manifest, files, allow=config.options.allow_shrink))
    deployed = _stage_deploy(compiled, config, gate, stack)
    memo = publication.memo(rules, config.target)
    if deployed is not None:
        gate(*publish.commit(*deployed, adopt=config.options.deploy_dir is None))
    published = gate(*publish.commit(stage, files, adopt=config.options.out is None, memo=memo))
    assert published is not None, "a publication without errors has a result"
    return Exported((), len(made.pages), published.files, published.written)


def check_output(config: Config) -> tuple[Diagnostic, ...]:
    """Refuse an output folder that is not safe to write. Finding: `unsafe-out`."""
    sources = [collection.source for collection in config.settings.collections.values()]
    return publish.check_out(config.root, config.out, sources=sources, home=config.home)


def _discovered(config: Config, gate: _Gate) -> tuple[Site, Tree]:
    """Read and check the whole site, so that all findings of all files come in one run."""
    site, tree, findings = discover(config)
    gate(None, (*findings, *check(tree, config.settings.collections)))
    return site, tree


def _stage_deploy(
    compiled: Compiled, config: Config, gate: _Gate, stack: ExitStack
) -> tuple[Stage, list[File]] | None:
    """Stage the files that put the target's rules to use; None where there are none, now and before."""
    output = publish.output_at(config.root, config.deploy)
    gate(None, publish.recover(output))
    previous = publish.load_manifest(output)
    if not (compiled.deploy or previous.rows):
        return None
    gate(None, publish.check_out(config.root, config.deploy, home=config.home))
    stage = _stage(output, previous, gate, stack)
    return stage, [outputs.write(stage, artifact) for artifact in compiled.deploy]


def _stage(output: publish.Output, previous: publish.Previous, gate: _Gate, stack: ExitStack) -> Stage:
    stage = gate(*publish.open_stage(output, previous))
    assert stage is not None, "a stage that could not be opened is an error"
    stack.callback(publish.discard, stage)
    return stage


def _check_links(made: outputs.Outputs, rows: Sequence[Rendered], config: Config) -> tuple[Diagnostic, ...]:
    anchors = {row.page.url: frozenset(row.anchors) for row in rows if row.page}
    paths = {file.path for file in made.files}
    return linkcheck.check_links((link for row in rows for link in row.links), anchors, paths, config.rules)
