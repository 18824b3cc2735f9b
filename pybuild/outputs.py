"""From rendered pages to the full list of output files.

Owns the staging of what nobody rendered: copies, site-wide outputs and the files of the target. What the
site brings itself wins over what is generated. Knows no format and no host.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pybuild.artifact import Artifact, File, Link, Page, Redirection
from pybuild.assemble import assemble
from pybuild.config import Config
from pybuild.decoding import read
from pybuild.diagnostics import Diagnostic, Location
from pybuild.leaks import leak_finding, leak_in, leak_in_file
from pybuild.plan import Claim, conflicts
from pybuild.publish import Stage
from pybuild.render.links import Asset
from pybuild.render.rendered import Rendered
from pybuild.rules.model import RuleSet
from pybuild.targets import TARGETS, Compiled, compile_rules


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that is staged."""

    files: tuple[File, ...]
    pages: tuple[Page, ...]  # sorted by URL


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of a plan, by kind."""

    files: list[File] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)
    assets: dict[Asset, None] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)  # of each page's URL, as in `Rendered`
    links: list[str] = field(default_factory=list)  # packed
    given: dict[Link, None] = field(default_factory=dict)  # links of templates

    def add(self, row: Rendered) -> None:
        """Sort one answer in."""
        self.files.extend(row.files)
        self.assets.update(dict.fromkeys(row.assets))
        self.given.update(dict.fromkeys(row.given))
        if row.links:
            self.links.append(row.links)
        if row.redirection:
            self.redirections.append(row.redirection)
        if row.page:
            self.pages.append(row.page)
            self.anchors[row.page.url] = row.anchors


def stage_outputs(
    config: Config, copies: Iterable[tuple[str, str]], answers: Answers, stage: Stage
) -> tuple[Outputs, tuple[Diagnostic, ...]]:
    """Stage the copies (as in `Plan`) and the site-wide files beside what was rendered.

    Findings: `output-conflict`, `secret-in-output`, and those of the outputs.
    """
    pages = tuple(sorted(answers.pages, key=lambda page: page.url))
    copied, findings = _copied(config, copies, answers.assets, stage)
    files = [*answers.files, *copied]
    taken = frozenset(file.path for file in files)
    for made in assemble(pages, config, lambda page: _read(stage, page), taken=taken):
        if isinstance(made, Diagnostic):
            findings.append(made)
        elif name := leak_in(made.body, config.secrets):
            findings.append(leak_finding(name, made.path, made.origin))
        else:
            files.append(write(stage, made))
    return Outputs(tuple(files), pages), (*findings, *conflicts(map(_claim, files)))


def _copied(
    config: Config, copies: Iterable[tuple[str, str]], assets: Iterable[Asset], stage: Stage
) -> tuple[list[File], list[Diagnostic]]:
    """Copy what is published as it is: `public/`, static metadata files, and files that documents name."""
    root, secrets = config.root, config.secrets
    sources = {path: root / file for path, file in copies}
    for asset in assets:
        sources.setdefault(asset.path, asset.file)
    files: list[File] = []
    findings: list[Diagnostic] = []
    for path, source in sorted(sources.items()):
        origin = source.relative_to(root).as_posix()
        if name := leak_in_file(source, secrets):
            findings.append(leak_finding(name, path, origin))
        else:
            digest, size = stage.copy(path, source)
            files.append(File(path, origin, digest, size))
    return files, findings


def _claim(file: File) -> Claim:
    return Claim(file.path, Location() if file.origin.startswith("[") else Location(file.origin))


def _read(stage: Stage, page: Page) -> str:
    """The Markdown variant of a page, from the stage or, where it is unchanged, from the output."""
    for folder in (stage.tree, stage.output.out):
        with contextlib.suppress(FileNotFoundError):
            return read(f"{folder}/{page.variant_path}").decode("utf-8")
    return ""


def write(stage: Stage, artifact: Artifact) -> File:
    """Stage one artifact."""
    if artifact.source is not None:
        digest, size = stage.copy(artifact.path, artifact.source)
    else:
        digest, size = stage.write(artifact.path, artifact.body)
    return File(
        artifact.path, artifact.origin, digest, size, media_type=artifact.media_type, headers=artifact.headers
    )


def compile_target(
    rules: RuleSet, files: Sequence[File], config: Config
) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """Make the files of the target. Findings: `unsupported-rule`, `rule-limit`, `rules-lost`, `output-conflict`."""
    by_path = {file.path: file for file in files}
    compiled = compile_rules(TARGETS[config.target], rules, by_path, config)
    taken = tuple(
        _taken(artifact, by_path[artifact.path], config)
        for artifact in compiled.site
        if artifact.path in by_path
    )
    return compiled, (*compiled.findings, *taken)


def _taken(artifact: Artifact, file: File, config: Config) -> Diagnostic:
    message = f'{file.origin} makes "{artifact.path}", where the rules of {config.target} belong'
    hint = "move its rules into the settings and remove it"
    return Diagnostic("output-conflict", message, Location(file.origin), hint)
