"""The runs of site code through an engine: params, redirects, pages, outputs of `extensions.py`.

Owns the calls of an engine and the findings for tasks that hang, die or vanish. Knows no engine and no phase.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pybuild.build import outputs
from pybuild.build.repeats import one_of_each
from pybuild.build.transport import cluster_of, fetch_bodies, store_of, travelling
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, Note, has_errors, warning
from pybuild.engines import Done, Engine, EngineFault, Failed, Program, open_engine
from pybuild.fetching import Session
from pybuild.objects import StoreFault
from pybuild.plan import Job
from pybuild.publish import Stage
from pybuild.records import File, Page
from pybuild.render.extensions import OwnOutputs
from pybuild.render.redirects import Listed
from pybuild.render.result import Rendered, Rows
from pybuild.render.static_params import Expanded
from pybuild.render.worker import ExpandProgram, OutputsProgram, RenderProgram
from pybuild.routing.params import Params
from pybuild.routing.tree import GENERATOR, Route
from pybuild.source.built_in import is_moved_home
from pybuild.source.site import Site
from pybuild.source.template_files import written_line

R = TypeVar("R")
_ENTRIES = ("GET", "load", "generate_metadata")  # what of a module runs for a job, the first it has
_OUTPUT_LINES = 20  # of what a failed task printed
_READING = "render/user_code.py"  # where responses are read to their end


def ignore(*_: object) -> None:
    """Follow nothing."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Who follows an export."""

    progress: Callable[[str, int, int], None] = ignore  # phase, done, total
    printed: Callable[[str, str], None] = ignore  # who, text
    lap: Callable[[str], None] = ignore  # a phase that has ended
    count: Callable[[str, float], None] = ignore  # a figure of the engine; those of one name are added
    asked: frozenset[str] = frozenset()  # URLs of which is asked why they are rendered


def expand(
    site: Site, observer: Observer, session: Session
) -> tuple[dict[int, tuple[Params, ...]], tuple[Diagnostic, ...]]:
    """Enumerate the params of every dynamic route that no collection fills, by the route's index."""
    tasks = [i for i, route in enumerate(site.routes) if route.pattern.is_dynamic and not site.is_filled(i)]
    names = [f"generate_static_params of {site.routes[i].pattern}" for i in tasks]
    places = [
        route.providers[-1].module.place(GENERATOR) if route.providers else Location(route.file)
        for route in (site.routes[i] for i in tasks)
    ]
    runner = _Runner(site, "params", names, places, observer)
    rows: dict[int, Expanded | Listed] = {}
    faults: tuple[Diagnostic, ...] = ()
    if tasks:
        limits = [_limit(site, i) for i in tasks]
        faults = _through_engine(
            ExpandProgram(site, session),
            site.config,
            None,
            observer,
            lambda engine: runner.run(engine, tasks, limits, rows.__setitem__),
        )
    found = [row for _, row in sorted(rows.items()) if isinstance(row, Expanded)]
    return {row.route: row.params for row in found}, (
        *faults,
        *runner.failed.values(),
        *(f for row in found for f in row.findings),
    )


def with_redirects(
    site: Site, observer: Observer, session: Session
) -> tuple[tuple[Site, Config], tuple[Diagnostic, ...]]:
    """The site without the home pages that redirects of its module move, and its configuration with these."""
    config, file = site.config, site.config.redirect_module
    if not file:
        return (site, config), ()
    runner = _Runner(site, "redirects", [f"redirects() of {file}"], [Location(file, 1)], observer)
    found: dict[int, Expanded | Listed] = {}
    faults = _through_engine(
        ExpandProgram(site, session),
        config,
        None,
        observer,
        lambda engine: runner.run(engine, [-1], [config.settings.build.timeout], found.__setitem__),
    )
    listed = found.get(-1)
    rules = listed.rules if isinstance(listed, Listed) else ()
    findings = listed.findings if listed else ()
    left = [index for index, route in enumerate(site.routes) if not is_moved_home(route, rules)]
    kept = replace(
        site,
        routes=tuple(site.routes[index] for index in left),
        collection_of=tuple(site.collection_of[index] for index in left),
    )
    moved = replace(config, rules=(*rules, *config.rules))
    return (kept, moved), (*faults, *runner.failed.values(), *findings)


def render(
    program: RenderProgram,
    tasks: Sequence[int],
    rows: Rows,
    observer: Observer,
    note: Callable[[int, Rows], None] = ignore,
) -> tuple[Rows, tuple[Diagnostic, ...]]:
    """Run the jobs of the plan that are named by their index, and add their rows to `rows`; those that fail have none.

    `note` is called with the index of each row that was added, while others are still rendered.
    """
    config, stage = program.site.config, program.stage
    faults: tuple[Diagnostic, ...] = ()
    failed: dict[int, Diagnostic] = {}

    def work(engine: Engine[int, Rendered | bytes]) -> None:
        failed.update(render_with(engine, program, tasks, rows, observer, note))

    if tasks:
        faults = _through_engine(travelling(program), config, stage, observer, work)
    found = (*failed.items(), *rows.findings_by_job)
    findings = (*faults, *one_of_each(program.site, program.plan.jobs, found))
    if store_of(config) and not has_errors(findings):
        made = (file for row in map(rows.get, tasks) if row and not row.is_last for file in row.files)
        findings += _fetched(store_of(config), stage, made, observer)
    return rows, findings


def _through_engine(
    program: Program[int, R],
    config: Config,
    stage: Stage | None,
    observer: Observer,
    work: Callable[[Engine[int, R]], None],
) -> tuple[Diagnostic, ...]:
    """Do work with the engine of the settings; return what the engine or its machines could not do."""
    faults: list[Diagnostic] = []
    cluster = cluster_of(
        config,
        stage,
        warn=lambda message, hint: faults.append(warning("engine-error", message, hint=hint)),
        count=observer.count,
    )
    limit = config.settings.build.timeout
    try:
        with open_engine(config.engine, program, jobs=config.jobs, timeout=limit, cluster=cluster) as engine:
            work(engine)
    except EngineFault as fault:
        faults.append(Diagnostic("engine-error", str(fault), hint=fault.hint))
    return tuple(faults)


def _fetched(url: str, stage: Stage, files: Iterable[File], observer: Observer) -> tuple[Diagnostic, ...]:
    """Bring home what the workers staged in the store."""
    try:
        observer.count("bytes fetched", fetch_bodies(url, stage, files))
    except StoreFault as fault:
        message = f"the store {url} cannot be used: {fault}"
        return (Diagnostic("engine-error", message, hint="see that it can be read, and export again"),)
    return ()


def render_with(
    engine: Engine[int, Rendered | bytes],
    program: RenderProgram,
    tasks: Sequence[int],
    rows: Rows,
    observer: Observer,
    note: Callable[[int, Rows], None] = ignore,
) -> Mapping[int, Diagnostic]:
    """Like `render`, through an engine that is open for the program; returns why jobs were stopped, by index."""
    site, jobs = program.site, [program.plan.jobs[index] for index in tasks]
    places = [_place(site, job) for job in jobs]
    runner = _Runner(site, "pages", [job.url for job in jobs], places, observer)

    def hold(index: int, row: Rendered | bytes) -> None:
        rows.add(index, row)
        note(index, rows)

    runner.run(engine, tasks, [_limit(site, job.route) for job in jobs], hold)
    return runner.failed


def _place(site: Site, job: Job) -> Location:
    if job.route < 0:
        return Location()
    route = site.routes[job.route]
    if route.module is None:
        return Location(route.file)
    entry = next((name for name in _ENTRIES if name in route.module.names), "")
    return route.module.place(entry)


def _limit(site: Site, index: int) -> float:
    """The seconds a job may take: `max_duration` of its module, else the setting."""
    route: Route | None = site.routes[index] if index >= 0 else None
    said = route.module.settings.get("max_duration") if route and route.module else None
    value = said.value if said else None
    return float(value) if isinstance(value, int | float) else site.config.settings.build.timeout


class _Runner:
    """One engine run: outcomes by index, findings for what failed."""

    def __init__(
        self,
        site: Site,
        phase: str,
        names: Sequence[str],
        places: Sequence[Location],
        observer: Observer,
    ) -> None:
        self._site = site
        self._phase = phase
        self._names = names
        self._places = places
        self._watch = observer
        self.failed: dict[int, Diagnostic] = {}  # by task, in the order of the outcomes

    def run(
        self,
        engine: Engine[int, R],
        tasks: Sequence[int],
        timeouts: Sequence[float],
        hold: Callable[[int, R], None],
    ) -> None:
        """Run the tasks; each that is done is given to `hold` with its value.

        No engine is trusted to answer every task: one that was never answered is a finding, and of two answers
        to one task the second is dropped.
        """
        answered, done = bytearray(len(tasks)), 0
        for outcome in engine.run(tasks, timeouts=timeouts):
            if answered[outcome.index]:
                continue
            answered[outcome.index] = 1
            if isinstance(outcome, Done):
                hold(tasks[outcome.index], outcome.value)
            else:
                self.failed[tasks[outcome.index]] = self._failure(outcome)
            if outcome.output:
                self._watch.printed(self._names[outcome.index], outcome.output)
            done += 1
            self._watch.progress(self._phase, done, len(tasks))
        for index in (index for index, seen in enumerate(answered) if not seen):
            message = f"{self._names[index]} was never run: the engine ended without an answer for it"
            hint = "export again; report it to pybuild if it happens again"
            self.failed[tasks[index]] = Diagnostic("handler-error", message, self._places[index], hint)

    def _failure(self, failed: Failed) -> Diagnostic:
        """A finding for a task that was stopped from outside or took its process with it."""
        name, place = self._names[failed.index], self._stopped_at(failed) or self._places[failed.index]
        # without the interpreter's report of its crash, which `frames` tells
        printed = failed.output.partition("Fatal Python error: ")[0]
        lines = [line for line in printed.splitlines() if line.strip()]
        notes = tuple(Note(line) for line in lines[-_OUTPUT_LINES:])
        if failed.reason == "timeout":
            message = f"{name} was stopped after {failed.detail}"
            hint = "make it faster, or raise build.timeout or max_duration"
            if any(frame.name == "answer" and frame.file.endswith(_READING) for frame in failed.frames):
                message = f"{name} answers a stream that had not ended after {failed.detail}"
                hint = "end it, for it is published as a file; what never ends is a backend's, reached through [[proxies]]"
            return Diagnostic("handler-timeout", message, place, hint, notes)
        said, hint = {
            "exit": ("ended its process with", "correct the code that ends the process"),
            "signal": ("crashed its process with", "correct the code that crashes, or the library it calls"),
            "raised": (
                "failed:",
                "correct what it names; report it to pybuild where your code has no part in it",
            ),
            "lost": ("could not be run:", "see what it printed"),
        }[failed.reason]
        return Diagnostic("handler-error", f"{name} {said} {failed.detail}", place, hint, notes)

    def _stopped_at(self, failed: Failed) -> Location | None:
        """The innermost line inside the site where the task was when it was stopped."""
        root = self._site.config.root
        for frame in reversed(failed.frames):
            file = Path(frame.file)
            if file.is_relative_to(root) and "site-packages" not in file.parts:
                line = frame.line if file.suffix == ".py" else written_line(file, frame.line)
                return Location(file.relative_to(root).as_posix(), line)
        return None


def own_outputs(
    site: Site,
    urls: Set[str],
    stage: Stage,
    observer: Observer,
    session: Session,
    record: Callable[[Rendered], None] = ignore,
) -> outputs.Extend | None:
    """What makes the files that `extensions.py` yields, in a worker; None where it yields none."""
    facts = site.extensions
    if facts is None or not ("outputs" in facts.names or facts.is_open):
        return None

    def extend(pages: Sequence[Page], taken: Collection[str]) -> tuple[Sequence[File], Sequence[Diagnostic]]:
        program = OutputsProgram(OwnOutputs(site, stage, pages, taken), urls, session)
        runner = _Runner(site, "outputs", [f"outputs of {facts.file}"], [facts.place("outputs")], observer)
        rows: dict[int, Rendered] = {}
        limits = [site.config.settings.build.timeout]
        faults = _through_engine(
            program,
            site.config,
            stage,
            observer,
            lambda engine: runner.run(engine, [0], limits, rows.__setitem__),
        )
        for row in rows.values():
            record(row)
        files = [file for row in rows.values() for file in row.files]
        found = [finding for row in rows.values() for finding in row.findings]
        if store_of(site.config) and files:
            found += _fetched(store_of(site.config), stage, files, observer)
        return files, (*faults, *runner.failed.values(), *found)

    return extend
