"""Building a second time, to see whether the same input gives the same bytes.

Owns the second build, in a new process with another hash seed and another number of workers, and the
comparison. Publishes nothing. Source: reproducible-builds.org, "Variations in the build environment".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pybuild import publish
from pybuild.artifact import Artifact, File
from pybuild.build import Built, Closed, Gate, build
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic, Location, arrange
from pybuild.engines import Done
from pybuild.engines.processes import ProcessEngine
from pybuild.run import Watch

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
    output = publish.Output(config.root, folder / "again/out", "again", folder / "again/state")
    gate = Gate(strict=config.options.strict)
    try:
        stage = gate(*publish.open_stage(output, publish.Previous()))
        assert stage is not None, "a stage that could not be opened is an error"
        built = build(config, stage, gate, Watch())
    except Closed:
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
    return tuple(_difference(origin, paths) for origin, paths in sorted(by_origin.items()))


def _difference(origin: str, paths: list[str]) -> Diagnostic:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    named = ", ".join(paths[:_NAMED]) + more
    at = Location() if origin.startswith("[") else Location(origin)
    return Diagnostic("not-reproducible", f"{origin} made other bytes the second time: {named}", at, _HINT)
