"""From rendered pages to the full list of output files.

Owns the staging of what nobody rendered: copies, site-wide outputs and the files of the target. What the
site brings itself wins over what is generated. Knows no format and no host.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from pybuild.artifact import FILE, PAGE, Artifact, File, Files, Link, Page, Redirection, by_path
from pybuild.assemble import assemble
from pybuild.config import Config
from pybuild.decoding import read
from pybuild.diagnostics import Diagnostic, Location
from pybuild.leaks import leak_finding, leak_in, leak_in_file
from pybuild.packed import PLAIN, Named, index, ordered, table
from pybuild.plan import Claim, are_in_conflict, conflicts
from pybuild.publish import Stage
from pybuild.render.links import Asset
from pybuild.render.rendered import Rendered, Rows, link_digest, link_digests
from pybuild.rules.model import RuleSet
from pybuild.targets import TARGETS, Compiled, compile_rules


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that is staged."""

    files: Named[File]  # by path
    pages: Sequence[Page]  # sorted by URL


class Answers:
    """What came of a plan, by kind."""

    def __init__(self, rows: Rows, given: Iterable[Link] = ()) -> None:
        """Sort the rows, and let go of them. `given` are links of templates that are not in the rows."""
        many = len(rows)
        self.files = table(FILE, many)
        self.pages = table(PAGE, many)
        self.redirections: list[Redirection] = []
        self.assets: dict[Asset, None] = {}
        self.anchors = index(PLAIN, many)  # of each page's URL, as in `Rendered`
        self.links = table(PLAIN, many)  # packed
        self.given: dict[Link, None] = dict.fromkeys(given)
        # By `shared`: who made the first page of these links, and how many more there are.
        self._shown: dict[bytes, tuple[str, int]] = {}
        for row in rows.drained():
            self._add(row)

    def _add(self, row: Rendered) -> None:
        self.files.extend(row.files)
        self.assets.update(dict.fromkeys(row.assets))
        self.given.update(dict.fromkeys(row.given))
        if row.shared:
            first, more = self._shown.get(row.shared, (row.files[0].origin, -1))
            self._shown[row.shared] = first, more + 1
        if row.links:
            self.links.append(row.links)
        if row.redirection:
            self.redirections.append(row.redirection)
        if row.page:
            self.pages.append(row.page)
            self.anchors[row.page.url] = row.anchors

    def shown_on(self, link: Link) -> tuple[str, int]:
        """The file of a page that a template gives a link, and how many more pages have it."""
        return self._places[link_digest(link)]

    @cached_property
    def _places(self) -> dict[bytes, tuple[str, int]]:
        """The answers of `shown_on`; made for the first link that leads nowhere, and for all of them at once."""
        places: dict[bytes, tuple[str, int]] = {}
        by_file = sorted(self._shown.items(), key=lambda item: (item[1][0].startswith("["), item[1][0]))
        for shared, (file, more) in by_file:
            for digest in link_digests(shared):
                first, count = places.get(digest, (file, -1))
                places[digest] = first, count + more + 1
        return places


def stage_outputs(
    config: Config, copies: Iterable[tuple[str, str]], answers: Answers, stage: Stage
) -> tuple[Outputs, tuple[Diagnostic, ...]]:
    """Stage the copies (as in `Plan`) and the site-wide files beside what was rendered.

    Findings: `output-conflict`, `secret-in-output`, and those of the outputs.
    """
    pages = ordered(answers.pages, "url")
    copied, findings = _copied(config, copies, answers.assets, stage)
    files = answers.files
    files.extend(copied)
    paths = [file.path for file in files]
    taken = frozenset(paths)
    for made in assemble(pages, config, lambda page: _read(stage, page), taken=taken):
        if isinstance(made, Diagnostic):
            findings.append(made)
        elif name := leak_in(made.body, config.secrets):
            findings.append(leak_finding(name, made.path, made.origin))
        else:
            files.append(write(stage, made))
    if are_in_conflict(chain(paths, (file.path for file in files[len(paths) :]))):
        findings += conflicts(map(_claim, files))
    return Outputs(by_path(files), pages), tuple(findings)


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


def compile_target(rules: RuleSet, files: Files, config: Config) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """Make the files of the target. Findings: `unsupported-rule`, `rule-limit`, `rules-lost`, `output-conflict`."""
    compiled = compile_rules(TARGETS[config.target], rules, files, config)
    taken = tuple(
        _taken(artifact, files[artifact.path], config) for artifact in compiled.site if artifact.path in files
    )
    return compiled, (*compiled.findings, *taken)


def _taken(artifact: Artifact, file: File, config: Config) -> Diagnostic:
    message = f'{file.origin} makes "{artifact.path}", where the rules of {config.target} belong'
    hint = "move its rules into the settings and remove it"
    return Diagnostic("output-conflict", message, Location(file.origin), hint)
