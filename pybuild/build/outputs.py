"""From rendered pages to the full list of output files.

Owns the staging of what nobody rendered: copies, site-wide outputs and the files of the target. What the
site brings itself wins over what is generated. Knows no format and no host.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from pybuild.compact import PLAIN, CompactDict, index, ordered, table
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.files import read
from pybuild.hosts import TARGETS
from pybuild.look.files import IMMUTABLE, look_files
from pybuild.look.files import ORIGIN as LOOK
from pybuild.plan import Claim, are_in_conflict, conflicts
from pybuild.publish import Stage
from pybuild.records import FILE, PAGE, Artifact, File, Files, Link, Page, Redirection, by_path
from pybuild.render.handlers import moved_page
from pybuild.render.links import Asset
from pybuild.render.pictures import PICTURES
from pybuild.render.result import Rendered, Rows, link_number, link_numbers
from pybuild.site_files import NO_ORDER, SiteOrder, assemble
from pybuild.site_files.selection import listed
from pybuild.site_files.variants import Parts, Variants
from pybuild.source.secrets import leak_finding, leak_in, leak_in_file
from pybuild.urls import collision_key, page_path

Extend = Callable[[Sequence[Page], Collection[str]], tuple[Sequence[File], Sequence[Diagnostic]]]
"""Takes the pages that feeds may show and the collision keys of all paths; gives more files, staged."""
Index = Callable[[Sequence[Page], Files], Iterable[Artifact | Diagnostic]]
"""Takes the pages and the staged files; gives those of a search index."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that is staged."""

    files: CompactDict[File]  # by path
    pages: Sequence[Page]  # sorted by URL


class RenderResults:
    """What came of a plan, by kind."""

    def __init__(self, rows: Rows, given: Iterable[Link] = ()) -> None:
        """Sort the rows, and let go of them. `given` are links of templates that are not in the rows."""
        many = len(rows)
        self.files = table(FILE, many)
        self.pages = table(PAGE, many)
        self._pictures: set[str] = set()  # that several pages show
        self.redirections: list[Redirection] = []
        self.assets: dict[Asset, None] = {}
        # Of the URL of each page, and of HTML of handlers, as in `Rendered`.
        self.anchors = index(PLAIN, many)
        self.links = table(PLAIN, many)  # packed
        self.template_links: dict[Link, None] = dict.fromkeys(given)
        # By `shared`: who made the first page of these links, and how many more there are.
        self._shown: dict[bytes, tuple[str, int]] = {}
        for row in rows.consume():
            self._add(row)

    def _add(self, row: Rendered) -> None:
        self.files.extend(file for file in row.files if file.path not in self._pictures)
        self._pictures.update(file.path for file in row.files if file.origin == PICTURES)
        self.assets.update(dict.fromkeys(row.assets))
        self.template_links.update(dict.fromkeys(row.template_links))
        if row.template_link_ids:
            first, more = self._shown.get(row.template_link_ids, (row.files[0].origin, -1))
            self._shown[row.template_link_ids] = first, more + 1
        if row.links:
            self.links.append(row.links)
        if row.redirection:
            self.redirections.append(row.redirection)
        if row.page:
            self.pages.append(row.page)
            self.anchors[row.page.url] = row.anchors
        elif row.anchors:
            self.anchors[row.files[0].url or "/" + row.files[0].path] = row.anchors

    def first_page_with(self, link: Link) -> tuple[str, int]:
        """The file of a page that a template gives a link, and how many more pages have it."""
        return self._places[link_number(link)]

    @cached_property
    def _places(self) -> dict[int, tuple[str, int]]:
        """The answers of `first_page_with`; made for the first link that leads nowhere, and for all of them at once."""
        places: dict[int, tuple[str, int]] = {}
        by_file = sorted(self._shown.items(), key=lambda item: (item[1][0].startswith("["), item[1][0]))
        for shared, (file, more) in by_file:
            for number in link_numbers(shared):
                first, count = places.get(number, (file, -1))
                places[number] = first, count + more + 1
        return places


def stage_outputs(
    config: Config,
    copies: Iterable[tuple[str, str]],
    answers: RenderResults,
    stage: Stage,
    order: SiteOrder = NO_ORDER,
    redirections: Iterable[Redirection] = (),
    extend: Extend | None = None,
    index: Index | None = None,
    parts: Parts | None = None,
) -> tuple[Outputs, tuple[Diagnostic, ...]]:
    """Stage the copies (as in `Plan`) and the site-wide files beside what was rendered, and what the site adds itself.

    Findings: `output-conflict`, `secret-in-output`, and those of the outputs.
    """
    pages = ordered(answers.pages, "url")
    copied, findings = copy_files(config, copies, answers.assets, stage)
    files = answers.files
    files.extend(copied)
    if "redirects" not in TARGETS[config.target].features:
        files.extend(_moved_pages(config, redirections, stage))
    paths = [file.path for file in files]
    taken = frozenset(paths)
    order = replace(order, has_look=any(asset.file.name == LOOK for asset in answers.assets))
    digests = {file.path: file.digest for file in files if file.path.endswith(".md")}
    variants = Variants(
        lambda page: read_output(stage, page.variant_path).decode(),
        lambda page: digests.get(page.variant_path, ""),
        stage.holds,
        parts or Parts(),
    )
    for made in assemble(pages, config, variants, order, taken=taken):
        if isinstance(made, Diagnostic):
            findings.append(made)
        elif name := leak_in(made.body, config.secrets):
            findings.append(leak_finding(name, made.path, made.origin))
        else:
            files.append(write(stage, made))
    if extend:
        own, faults = extend(list(listed(pages)), frozenset(collision_key(file.path) for file in files))
        files.extend(own)
        findings += faults
    for made in index(pages, by_path(files)) if index else ():
        if isinstance(made, Diagnostic):
            findings.append(made)
        else:
            files.append(write(stage, made))
    if are_in_conflict(chain(paths, (file.path for file in files[len(paths) :]))):
        places = (Location() if file.origin.startswith("[") else Location(file.origin) for file in files)
        findings += conflicts(map(Claim, (file.path for file in files), places))
    staged = by_path(files)
    findings += _hidden_pages(pages, staged)
    findings += _hidden_aliases(redirections, staged)
    return Outputs(staged, pages), tuple(findings)


def _moved_pages(config: Config, redirections: Iterable[Redirection], stage: Stage) -> Iterator[File]:
    """Stand-ins for the aliases of documents on a host without redirects; none where the name is no page's."""
    for moved in redirections:
        name = moved.url.rpartition("/")[2]
        if "." not in name or name.endswith(".html"):
            is_file = name.endswith(".html")
            path = moved.url[1:] if is_file else page_path(moved.url, trailing_slash=config.trailing_slash)
            body = moved_page(moved.location, config.site.origin)
            yield write(stage, Artifact(path, moved.file, body))


def _hidden_aliases(redirections: Iterable[Redirection], files: Files) -> Iterator[Diagnostic]:
    """Find aliases at the address of a file that pybuild makes."""
    for moved in redirections:
        if (file := files.get(moved.url[1:])) and file.origin != moved.file:
            message = f'the alias "{moved.url}" of {moved.file} is the address of {file.origin}'
            yield Diagnostic("output-conflict", message, Location(moved.file, moved.line), "delete the alias")


def _hidden_pages(pages: Iterable[Page], files: Files) -> Iterator[Diagnostic]:
    """Find pages at the address of a file that pybuild makes, such as `/rss.xml`: hosts serve the file."""
    for page in pages:
        if (
            "." in page.url.rpartition("/")[2]
            and (file := files.get(page.url[1:]))
            and file.origin.startswith("[")
        ):
            message = f'{page.file} answers "{page.url}", and hosts serve the file that pybuild makes there'
            hint = "make it with a route.py, which then stands in for the file, or rename the page"
            yield Diagnostic("output-conflict", message, Location(page.file, page.line), hint)


def copy_files(
    config: Config, copies: Iterable[tuple[str, str]], assets: Iterable[Asset], stage: Stage
) -> tuple[list[File], list[Diagnostic]]:
    """Copy what is published as it is: `public/`, static metadata files, and files that documents name."""
    root, secrets = config.root, config.secrets
    sources = {path: root / file for path, file in copies}
    for asset in assets:
        sources.setdefault(asset.path, root / asset.file)
    files: list[File] = []
    findings: list[Diagnostic] = []
    looks = look_files(config).by_path if any(a.file.name == LOOK for a in assets) else {}
    for path, source in sorted(sources.items()):
        if source.name == LOOK:
            files.append(write(stage, Artifact(path, LOOK, looks[path], headers=IMMUTABLE)))
            continue
        origin = source.relative_to(root).as_posix()
        if name := leak_in(path.encode(), secrets) or leak_in_file(source, secrets):
            findings.append(leak_finding(name, path, origin))
        else:
            digest, size = stage.copy(path, source)
            is_copy = origin.startswith("public/") and origin != f"public/{path}"  # of `asset()`
            files.append(File(path, origin, digest, size, headers=IMMUTABLE if is_copy else ()))
    return files, findings


def read_output(stage: Stage, path: str) -> bytes:
    """A file of the site, from the stage or, where it is unchanged, from the output; empty where it is in neither."""
    for folder in (stage.tree, stage.output.out):
        with contextlib.suppress(FileNotFoundError):
            return read(f"{folder}/{path}")
    return b""


def write(stage: Stage, artifact: Artifact) -> File:
    """Stage one artifact."""
    if artifact.digest:
        size = stage.previous.rows[artifact.path].size
        return File(artifact.path, artifact.origin, artifact.digest, size)
    if artifact.source is not None:
        digest, size = stage.copy(artifact.path, artifact.source)
    else:
        digest, size = stage.write(artifact.path, artifact.body)
    return File(
        artifact.path, artifact.origin, digest, size, media_type=artifact.media_type, headers=artifact.headers
    )
