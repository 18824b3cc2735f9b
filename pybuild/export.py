"""The export: lock, build, publish.

Owns the order of what happens around a build. An error anywhere leaves the old output as it was. Knows no
phase of the build.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from pybuild import outputs, publication, publish, reproduce, run
from pybuild.artifact import Artifact, Files
from pybuild.build import Closed, Gate, build, discovered
from pybuild.cache.memory import Memory, NoMemory
from pybuild.cache.record import Outcome
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic, arrange, has_errors
from pybuild.publish import Stage
from pybuild.site import Site


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export."""

    findings: tuple[Diagnostic, ...]  # sorted
    pages: int = 0
    files: int = 0
    written: int = 0
    cached: int = 0  # pages that were not rendered
    reasons: Mapping[str, str] = field(default_factory=dict)  # as in `Built`

    @property
    def ok(self) -> bool:
        return not has_errors(self.findings)


def export(config: Config, watch: run.Watch) -> Exported:
    """Make and publish the site; the findings say why it was not."""
    gate = Gate(strict=config.options.strict)
    done = Exported(())
    try:
        with ExitStack() as stack:
            done = _export(config, gate, stack, watch)
    except Closed:
        pass
    except OSError as fault:
        gate.findings.append(publish.publish_error(fault, "stage the site, the output is as it was"))
    return replace(done, findings=arrange(gate.findings))


def check_site(config: Config) -> tuple[Site | None, tuple[Diagnostic, ...]]:
    """Do all that can be done without running site code. The site is None where it has errors."""
    gate = Gate(strict=config.options.strict)
    try:
        site = discovered(config, gate)
    except Closed:
        return None, arrange(gate.findings)
    return site[0], arrange(gate.findings)


def _export(config: Config, gate: Gate, stack: ExitStack, watch: run.Watch) -> Exported:
    gate(None, publication.check_output(config))
    gate(None, stack.enter_context(publish.exclusive(config.root)))
    output = publish.output_at(config.root, config.out)
    gate(None, publish.recover(output))
    previous = publish.load_manifest(output)
    stage = _stage(output, previous, gate, stack)
    memory = _memory(config, output)
    stack.callback(memory.drop)
    watch.lap("start")
    built = build(config, stage, gate, watch, memory=memory)
    gate(
        None,
        publish.shrink_findings(previous.manifest, built.files.values(), allow=config.options.allow_shrink),
    )
    if config.options.verify_reproducible:
        gate(None, reproduce.compare(config, built, stage.tree.parent))
    deployed = _stage_deploy(built.deploy, config, gate, stack)
    memo = publication.memo(built.rules, config.target)
    if deployed is not None:
        gate(*publish.commit(*deployed, adopt=config.options.deploy_dir is None))
    published = gate(*publish.commit(stage, built.files, adopt=config.options.out is None, memo=memo))
    assert published is not None, "a publication without errors has a result"
    watch.lap("publish")
    outcome = Outcome(arrange(gate.findings), built.pages, published.files)
    memory.keep(outcome, built.files, deployed[1] if deployed else {})
    watch.lap("cache")
    return Exported((), built.pages, published.files, published.written, memory.cached, built.reasons)


def _memory(config: Config, output: publish.Output) -> NoMemory:
    """The cache, where it may be used and can be written."""
    options = config.options
    try:
        return Memory(config, output, is_read=options.cache and not options.verify_reproducible)
    except OSError:
        return NoMemory()


def _stage_deploy(
    artifacts: Sequence[Artifact], config: Config, gate: Gate, stack: ExitStack
) -> tuple[Stage, Files] | None:
    """Stage the files that put the target's rules to use; None where there are none, now and before."""
    output = publish.output_at(config.root, config.deploy)
    gate(None, publish.recover(output))
    previous = publish.load_manifest(output)
    if not (artifacts or previous.rows):
        return None
    gate(None, publish.check_out(config.root, config.deploy, home=config.home))
    stage = _stage(output, previous, gate, stack)
    return stage, {artifact.path: outputs.write(stage, artifact) for artifact in artifacts}


def _stage(output: publish.Output, previous: publish.Previous, gate: Gate, stack: ExitStack) -> Stage:
    stage = gate(*publish.open_stage(output, previous))
    assert stage is not None, "a stage that could not be opened is an error"
    stack.callback(publish.discard, stage)
    return stage
