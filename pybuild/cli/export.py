"""The export command: nothing to do, or all of it.

Owns the wording of its result. What renders is loaded only where something has changed: an export in which
nothing has must be over before that would be loaded.
"""

from __future__ import annotations

import gc
import os
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pybuild.cache.up_to_date import Outcome, up_to_date_result
from pybuild.cli.open_site import ReportOptions, open_site
from pybuild.cli.report import Report, Summary, plural
from pybuild.cli.step_summary import add_step_summary
from pybuild.config.loader import Config, stopwatch
from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic, arrange, has_errors
from pybuild.publish.publication import check_output

if TYPE_CHECKING:
    from pybuild.build.export import Exported

__all__ = ["ExportFlags", "Options", "export"]

Elapsed = Callable[[], float]
_FEW_COLLECTIONS = (
    100_000,
    20,
    100,
)  # rows are no rubbish, and looking through them takes longer than making them


@dataclass(frozen=True, slots=True)
class ExportFlags:
    """What an author wants to know of an export besides its result."""

    explain: str = ""  # why the page at this URL, or path of the output, was rendered
    timings: bool = False  # the seconds of each phase
    profile: Path | None = None  # where to write the profile


def export(site: Path, options: Options, shown: ReportOptions, wanted: ExportFlags) -> int:
    """Build and publish; exit 2 where the output folder is refused."""
    elapsed = stopwatch()
    report, config, findings = open_site(site, options, shown)
    if refused := (() if has_errors(findings) else check_output(config)):
        _finish(report, Summary(False, str(config.out), seconds=elapsed(), diagnostics=arrange(refused)))
        return 2
    if has_errors(findings):
        # what is wrong with the site too, as far as it can be read with wrong settings
        check_site = pkgutil.resolve_name("pybuild.build.export:check_site")
        every = arrange((*findings, *check_site(config)[1]))
        _finish(report, Summary(False, str(config.out), seconds=elapsed(), diagnostics=every))
        return 1
    laps = PhaseTimer(elapsed)
    if config.settings.build.before:
        if failed := _before(config, report):
            _finish(report, Summary(False, str(config.out), seconds=elapsed(), diagnostics=failed))
            return 1
        laps("before")
    known = up_to_date_result(config)
    laps("up_to_date_result")
    done = None if known else _run(config, report, laps, wanted)
    for line in _answers(wanted, known, done, laps):
        report.aside(line)
    extra = {"timings": laps.seconds, **laps.parts} if wanted.timings else {}
    _finish(report, replace(_summary(config, findings, known, done, elapsed), extra=extra))
    return 0 if done is None or done.ok else 1


def _finish(report: Report, summary: Summary) -> None:
    add_step_summary(report.finish(summary))


def _before(config: Config, report: Report) -> tuple[Diagnostic, ...]:
    """Run the author's own build steps; where errors only are wanted, their output is shown when one fails."""
    lines: list[str] = []
    show = lines.append if report.verbosity < 0 else report.aside
    failed: tuple[Diagnostic, ...] = pkgutil.resolve_name("pybuild.build.commands:run_before")(config, show)
    for line in lines if failed else ():
        report.aside(line)
    return failed


class PhaseTimer:
    """The seconds that phases took, and the figures of an engine. A phase may come more than once."""

    def __init__(self, elapsed: Elapsed) -> None:
        self.seconds: dict[str, float] = {}
        self.figures: dict[str, float] = {}
        self._elapsed = elapsed
        self._last = 0.0

    def __call__(self, phase: str) -> None:
        """Add the time since the last call to a phase, which has ended."""
        now = self._elapsed()
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + now - self._last, 4)
        self._last = now

    @property
    def parts(self) -> dict[str, dict[str, float]]:
        """The figures of the cluster and those of fetches, which say so."""
        found: dict[str, dict[str, float]] = {"cluster": {}, "fetch": {}}
        for name, number in self.figures.items():
            part, _, figure = name.rpartition(": ")
            found[part or "cluster"][figure] = number
        return found

    def count(self, figure: str, number: float) -> None:
        """Add to a figure."""
        self.figures[figure] = round(self.figures.get(figure, 0.0) + number, 4)


def _run(config: Config, report: Report, laps: PhaseTimer, wanted: ExportFlags) -> Exported:
    gc.set_threshold(*_FEW_COLLECTIONS)
    run: Callable[..., Exported] = pkgutil.resolve_name("pybuild.build.export:export")
    asked = frozenset(_addresses(wanted.explain)) if wanted.explain else frozenset()
    observer = pkgutil.resolve_name("pybuild.build.runs:Observer")(
        report.progress,
        report.printed,
        laps,
        asked=asked,
        **({"count": laps.count} if wanted.timings else {}),
    )
    if wanted.profile is None:
        return run(config, observer)
    profiler = pkgutil.resolve_name("cProfile:Profile")()
    try:
        done: Exported = profiler.runcall(run, config, observer)
    finally:
        profiler.dump_stats(wanted.profile)
    return done


def _answers(
    wanted: ExportFlags, known: Outcome | None, done: Exported | None, laps: PhaseTimer
) -> Iterator[str]:
    """What was asked besides the result, a line each."""
    if wanted.explain and known:
        yield f"{wanted.explain}: taken over, for nothing of the site has changed"
    if wanted.explain and done and done.ok:
        yield f"{wanted.explain}: {_explained(wanted.explain, done)}"
    if wanted.timings:
        yield from (f"{seconds:8.3f} s  {phase}" for phase, seconds in laps.seconds.items())
        for part, figures in laps.parts.items():
            yield from (f"{number:10.10g}  {part}: {figure}" for figure, number in figures.items())
    if wanted.profile:
        yield (
            "no profile was taken, for nothing of the site has changed"
            if known
            else f"profile: {wanted.profile}"
        )


def _summary(
    config: Config,
    findings: tuple[Diagnostic, ...],
    known: Outcome | None,
    done: Exported | None,
    elapsed: Elapsed,
) -> Summary:
    made = known or done
    assert made is not None, "an export is taken over or run"
    cached = known.pages if known else done.cached if done else 0
    out, seconds = os.path.relpath(config.out), elapsed()
    return Summary(
        ok=done is None or done.ok,
        out=str(config.out),
        pages=made.pages,
        files=made.files,
        cached=cached,
        seconds=seconds,
        diagnostics=arrange((*findings, *made.findings)),
        text=f"Exported {plural(made.pages, 'page')}, {plural(made.files, 'file')} to {out} in {seconds:.1f} s"
        + (f"; {plural(cached, 'page')} as before" if cached else ""),
    )


def _explained(name: str, done: Exported) -> str:
    url = next((url for url in _addresses(name) if url in done.reasons), None)
    if url is None:
        return "no page or handler answers there"
    reason = done.reasons[url]
    return f"rendered: {reason}" if reason else "taken over from the last export"


def _addresses(name: str) -> tuple[str, ...]:
    """The URLs that a URL or a path of the output may stand for: `docs/a.md` → `/docs/a.md`, `/docs/a`."""
    url = "/" + name.lstrip("/")
    bare = url
    for ending in ("/index.html", "/index.md", ".html", ".md", "/"):
        bare = bare.removesuffix(ending)
    return url, bare or "/", "/404" if bare == "/404" else url
