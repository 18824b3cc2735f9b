"""The export: lock, build, publish; and the second build of `--verify-reproducible`.

Owns the order of what happens around a build: an error anywhere leaves the old output as it was. The second build runs
in a new process, with another hash seed and another number of workers, and publishes nothing. Knows no phase of the
build. Source: reproducible-builds.org, "Variations in the build environment".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from pybuild import publish
from pybuild.build import outputs
from pybuild.build.known import known_findings
from pybuild.build.pipeline import BuildFailed, Built, PhaseGate, build, discovered
from pybuild.build.runs import Observer
from pybuild.build.text_edit import NotPublished, export_texts
from pybuild.cache.session import BuildCache, NullCache
from pybuild.cache.up_to_date import Outcome
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, arrange, has_errors
from pybuild.engines import Done
from pybuild.engines.supervisor import ProcessEngine
from pybuild.objects import StoreFault
from pybuild.plan import make_plan
from pybuild.publish import Stage, publication
from pybuild.publish.store import Pointer, publish_to_store, read_pointer
from pybuild.records import Artifact, File, Files
from pybuild.routing.segments import Pattern
from pybuild.source.site import Site

_NAMED = 5  # files that a message names
_HINT = "take out what varies: the clock, random numbers, the order of a set or of a folder, what other pages left behind"
Made = Mapping[str, tuple[str, object]]  # path → what made it, and all that a host would know of it


@dataclass(frozen=True, slots=True)
class Again:
    """The second build; its one task is the folder to stage in."""

    config: Config

    def start(self) -> Callable[[Path], tuple[Made, tuple[Diagnostic, ...]]]:
        return lambda folder: _build_again(self.config, folder)


def compare(config: Config, built: Built, folder: Path) -> tuple[Diagnostic, ...]:
    """Build again below `folder` and compare with what is staged. Findings: `not-reproducible`, or why it failed.

    A new process has a new hash seed (unless PYTHONHASHSEED is set); one worker becomes two, many become one.
    """
    jobs = 1 if config.jobs > 1 and config.engine != "serial" else 2
    varied = replace(config, options=replace(config.options, jobs=jobs, engine="processes"))
    engine = ProcessEngine(Again(varied), jobs=1, timeout=math.inf, method="spawn")
    try:
        (outcome,) = engine.run([folder])
    finally:
        engine.close()
    if not isinstance(outcome, Done):
        message = f"the second build could not be made: {outcome.detail}"
        return (
            Diagnostic("not-reproducible", message, hint="export without --verify-reproducible to see why"),
        )
    second, findings = outcome.value
    return findings or _differences(_made(built.files.values(), built.deploy), second)


def _build_again(config: Config, folder: Path) -> tuple[Made, tuple[Diagnostic, ...]]:
    """Findings are returned only where there was no second site."""
    output = publish.Output(config.root, folder / "out", "again", folder / "state")
    gate = PhaseGate(strict=config.options.strict)
    try:
        stage = gate.unwrap(*publish.open_stage(output, publish.PublishedState()))
        assert stage is not None, "a stage that could not be opened is an error"
        built = build(config, stage, gate, Observer())
    except BuildFailed:
        return {}, arrange(gate.findings)
    return _made(built.files.values(), built.deploy), ()


def _made(files: Iterable[File], deploy: Iterable[Artifact]) -> Made:
    """What both builds must agree on, by path."""
    made: dict[str, tuple[str, object]] = {
        file.path: (file.origin, (file.digest, file.url, file.media_type, file.headers)) for file in files
    }
    for artifact in deploy:
        made[f"{artifact.path} (of the deploy folder)"] = artifact.origin, artifact.body
    return made


def _differences(first: Made, second: Made) -> tuple[Diagnostic, ...]:
    """One finding for each file of the site that made different outputs."""
    by_origin: dict[str, list[str]] = defaultdict(list)
    for path in sorted(first.keys() | second.keys()):
        if first.get(path) != second.get(path):
            by_origin[(first.get(path) or second[path])[0]].append(path)
    findings = []
    for origin, paths in sorted(by_origin.items()):
        more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
        message = f"{origin} made other bytes the second time: {', '.join(paths[:_NAMED])}{more}"
        at = Location() if origin.startswith("[") else Location(origin)
        findings.append(Diagnostic("not-reproducible", message, at, _HINT))
    return tuple(findings)


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


def export(config: Config, observer: Observer) -> Exported:
    """Make and publish the site; the findings say why it was not."""
    gate = PhaseGate(strict=config.options.strict)
    done = Exported(())
    try:
        with ExitStack() as stack:
            done = _export(config, gate, stack, observer)
    except BuildFailed:
        pass
    except OSError as fault:
        gate.findings.append(publish.publish_error(fault, "stage the site, the output is as it was"))
    return replace(done, findings=arrange(gate.findings))


def check_site(config: Config, *, is_whole: bool = False) -> tuple[Site | None, tuple[Diagnostic, ...]]:
    """Do what can be done without running site code; all of it where `is_whole`. The site is None where it has errors."""
    gate = PhaseGate(strict=config.options.strict)
    try:
        site, tree = discovered(config, gate)
        plan = gate.unwrap(*make_plan(site, {}, tree.around(Pattern())))
        if is_whole:
            gate.check(known_findings(site, plan))
    except BuildFailed:
        return None, arrange(gate.findings)
    return site, arrange(gate.findings)


def _export(config: Config, gate: PhaseGate, stack: ExitStack, observer: Observer) -> Exported:
    gate.check(publication.check_output(config))
    gate.check(stack.enter_context(publish.exclusive(config.root)))
    output = publish.output_at(config.root, config.out)
    gate.check(publish.recover(output))
    pointer = gate.unwrap(*_read_pointer(config))
    if edited := _edited(config, output, gate, observer):
        return edited
    previous = publish.load_published(output)
    stage = _stage(output, previous, gate, stack, config)
    cache = _open_cache(config, output)
    stack.callback(cache.discard)
    observer.lap("start")
    built = build(config, stage, gate, observer, cache=cache)
    gate.check(
        publish.shrink_findings(previous.manifest, built.files.values(), allow=config.options.allow_shrink),
    )
    if config.options.verify_reproducible:
        gate.check(compare(config, built, publish.fresh_tree(stage.tree.parent)))
    deployed = _stage_deploy(built.deploy, config, gate, stack)
    if pointer is not None:
        with_versions = config.settings.store.publish == "versions"
        gate.check(publish_to_store(pointer, stage, built.files, with_versions=with_versions))
        observer.lap("store")
    memo = publication.memo(built.rules, config.target)
    if deployed is not None:
        gate.unwrap(*publish.commit(*deployed, adopt=config.options.deploy_dir is None))
    published = gate.unwrap(*publish.commit(stage, built.files, adopt=config.options.out is None, memo=memo))
    assert published is not None, "a publication without errors has a result"
    observer.lap("publish")
    outcome = Outcome(arrange(gate.findings), built.pages, published.files)
    cache.commit(outcome, built.files, deployed[1] if deployed else {})
    observer.lap("cache")
    return Exported((), built.pages, published.files, published.written, cache.cached, built.reasons)


def _edited(config: Config, output: publish.Output, gate: PhaseGate, observer: Observer) -> Exported | None:
    """The export of a site of which only texts changed; None of any other."""
    try:
        edited = export_texts(config, output, observer)
    except NotPublished as fault:
        gate.check(fault.findings)
        raise BuildFailed from fault
    if edited is None:
        return None
    gate.findings[:] = edited.outcome.findings
    return Exported((), edited.outcome.pages, edited.outcome.files, edited.written, edited.cached)


def _read_pointer(config: Config) -> tuple[Pointer | None, tuple[Diagnostic, ...]]:
    """What the store serves as this export begins; None where there is no store."""
    url = config.settings.store.url
    if not url:
        return None, ()
    try:
        return read_pointer(url), ()
    except StoreFault as fault:
        message = f"the store {url} cannot be used: {fault}"
        hint = "correct store.url, or the rights to read and write there"
        return None, (Diagnostic("engine-error", message, hint=hint),)


def _open_cache(config: Config, output: publish.Output) -> NullCache:
    """The cache, where it may be used and can be written."""
    options = config.options
    try:
        return BuildCache(config, output, is_read=options.cache and not options.verify_reproducible)
    except OSError:
        return NullCache()


def _stage_deploy(
    artifacts: Sequence[Artifact], config: Config, gate: PhaseGate, stack: ExitStack
) -> tuple[Stage, Files] | None:
    """Stage the files that put the target's rules to use; None where there are none, now and before."""
    output = publish.output_at(config.root, config.deploy)
    gate.check(publish.recover(output))
    previous = publish.load_published(output)
    if not (artifacts or previous.rows):
        return None
    gate.check(publish.check_out(config.root, config.deploy, home=config.home))
    stage = _stage(output, previous, gate, stack, config)
    return stage, {artifact.path: outputs.write(stage, artifact) for artifact in artifacts}


def _stage(
    output: publish.Output,
    previous: publish.PublishedState,
    gate: PhaseGate,
    stack: ExitStack,
    config: Config,
) -> Stage:
    stage = gate.unwrap(*publish.open_stage(output, previous, compare=not config.options.cache))
    assert stage is not None, "a stage that could not be opened is an error"
    stack.callback(publish.discard, stage)
    return stage
