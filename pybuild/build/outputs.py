"""From rendered pages to the full list of output files.

Owns the staging of what nobody rendered: copies, site-wide outputs and the files of the target. What the
site brings itself wins over what is generated. Knows no format and no host.

Internal links held against the finished site.

Owns `broken-link` and `broken-anchor`. Pure: knows what the export will publish and nothing of how.
Source: RFC 3986 §3.5 for fragments; HTML, "Scrolling to a fragment", for `#top`.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path

from pybuild.compact import PLAIN, CompactDict, index, ordered, table
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, Note, did_you_mean, warning
from pybuild.files import read
from pybuild.hosts import TARGETS, Compiled, compile_rules
from pybuild.look.files import IMMUTABLE, look_files
from pybuild.look.files import ORIGIN as LOOK
from pybuild.markdown.rewrite import lines_of
from pybuild.plan import Claim, are_in_conflict, conflicts
from pybuild.publish import Stage
from pybuild.records import FILE, PAGE, Artifact, File, Files, Link, Page, Redirection, by_path, unpack_links
from pybuild.render.handlers import moved_page
from pybuild.render.links import Asset
from pybuild.render.result import Rendered, Rows, link_digest, link_digests
from pybuild.rules.model import Rule, RuleSet, SetHeaders
from pybuild.site_files import NO_ORDER, SiteOrder, assemble
from pybuild.source.front_matter import FrontMatter, parse
from pybuild.source.secrets import leak_finding, leak_in, leak_in_file
from pybuild.urls import page_path


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
        self.redirections: list[Redirection] = []
        self.assets: dict[Asset, None] = {}
        self.anchors = index(PLAIN, many)  # of each page's URL, as in `Rendered`
        self.links = table(PLAIN, many)  # packed
        self.template_links: dict[Link, None] = dict.fromkeys(given)
        # By `shared`: who made the first page of these links, and how many more there are.
        self._shown: dict[bytes, tuple[str, int]] = {}
        for row in rows.consume():
            self._add(row)

    def _add(self, row: Rendered) -> None:
        self.files.extend(row.files)
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

    def first_page_with(self, link: Link) -> tuple[str, int]:
        """The file of a page that a template gives a link, and how many more pages have it."""
        return self._places[link_digest(link)]

    @cached_property
    def _places(self) -> dict[bytes, tuple[str, int]]:
        """The answers of `first_page_with`; made for the first link that leads nowhere, and for all of them at once."""
        places: dict[bytes, tuple[str, int]] = {}
        by_file = sorted(self._shown.items(), key=lambda item: (item[1][0].startswith("["), item[1][0]))
        for shared, (file, more) in by_file:
            for digest in link_digests(shared):
                first, count = places.get(digest, (file, -1))
                places[digest] = first, count + more + 1
        return places


def stage_outputs(
    config: Config,
    copies: Iterable[tuple[str, str]],
    answers: RenderResults,
    stage: Stage,
    order: SiteOrder = NO_ORDER,
    redirections: Iterable[Redirection] = (),
) -> tuple[Outputs, tuple[Diagnostic, ...]]:
    """Stage the copies (as in `Plan`) and the site-wide files beside what was rendered.

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
    for made in assemble(pages, config, lambda page: _read(stage, page), order, taken=taken):
        if isinstance(made, Diagnostic):
            findings.append(made)
        elif name := leak_in(made.body, config.secrets):
            findings.append(leak_finding(name, made.path, made.origin))
        else:
            files.append(write(stage, made))
    if are_in_conflict(chain(paths, (file.path for file in files[len(paths) :]))):
        findings += conflicts(map(_claim, files))
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
            yield write(stage, Artifact(path, moved.file, moved_page(moved.location)))


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
        if name := leak_in_file(source, secrets):
            findings.append(leak_finding(name, path, origin))
        else:
            digest, size = stage.copy(path, source)
            is_copy = origin.startswith("public/") and origin != f"public/{path}"  # of `asset()`
            files.append(File(path, origin, digest, size, headers=IMMUTABLE if is_copy else ()))
    return files, findings


def _claim(file: File) -> Claim:
    return Claim(file.path, Location() if file.origin.startswith("[") else Location(file.origin))


def _read(stage: Stage, page: Page) -> str:
    """The Markdown variant of a page, from the stage or, where it is unchanged, from the output."""
    return read_output(stage, page.variant_path).decode("utf-8")


def read_output(stage: Stage, path: str) -> bytes:
    """A file of the site, from the stage or, where it is unchanged, from the output; empty where it is in neither."""
    for folder in (stage.tree, stage.output.out):
        with contextlib.suppress(FileNotFoundError):
            return read(f"{folder}/{path}")
    return b""


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
    """Make the files of the target.

    Findings: `unsupported-rule`, `rule-limit`, `rules-lost`, `output-conflict`, `secret-in-output`.
    """
    compiled = compile_rules(TARGETS[config.target], rules, files, config)
    taken = tuple(
        _taken(artifact, files[artifact.path], config) for artifact in compiled.site if artifact.path in files
    )
    made = ((made, leak_in(made.body, config.secrets)) for made in (*compiled.site, *compiled.deploy))
    leaks = tuple(leak_finding(name, made.path, config.file) for made, name in made if name)
    return compiled, (*compiled.findings, *taken, *leaks)


def _taken(artifact: Artifact, file: File, config: Config) -> Diagnostic:
    message = f'{file.origin} makes "{artifact.path}", where the rules of {config.target} belong'
    hint = "move its rules into the settings and remove it"
    return Diagnostic("output-conflict", message, Location(file.origin), hint)


_NEAR = (
    300  # pages beyond which only the same last segment is sought: spelling would take longer than the export
)


def check_links(
    packed: Iterable[str],
    anchors: Mapping[str, str],
    paths: Collection[str],
    rules: Sequence[Rule],
    first_page_with: Callable[[Link], tuple[str, int]],
    lines_of: Callable[[str, str], Sequence[int]] = lambda file, href: (),
    redirections: Iterable[Redirection] = (),
) -> tuple[Diagnostic, ...]:
    """Find links that lead nowhere.

    `packed` are links as of `pack_links`; `anchors` maps each page's URL to its ids, a line each between line
    ends; `paths` are all output files. `first_page_with` gives, for a link without a file, that of a page that has it, and
    how many more there are. `lines_of` gives the lines where a file writes an href, for links without one.
    """
    answering = [rule for rule in rules if not isinstance(rule, SetHeaders)]
    moved = frozenset(redirection.url for redirection in redirections)
    findings: dict[Diagnostic, None] = {}
    near = _Near(anchors)
    for fields in (fields for text in packed for fields in unpack_links(text)):
        target, fragment = fields[0], fields[1]
        page = target if target in anchors else target.rstrip("/") or "/"
        if page not in anchors:
            if page not in moved and not _answers(target, paths, answering):
                link = Link(*fields)
                findings |= dict.fromkeys(_placed(_link_finding(link, near), link, first_page_with, lines_of))
        elif fragment and f"\n{fragment}\n" not in (ids := anchors[page]):
            link = Link(*fields)
            if found := _anchor_finding(link, ids):
                findings |= dict.fromkeys(_placed(found, link, first_page_with, lines_of))
    return tuple(findings)


def _placed(
    found: Diagnostic,
    link: Link,
    first_page_with: Callable[[Link], tuple[str, int]],
    lines_of: Callable[[str, str], Sequence[int]],
) -> list[Diagnostic]:
    """A finding for each line that writes the link; one that code of a template makes has one, at one of its pages."""
    if link.file:
        lines = lines_of(link.file, link.text) if link.line is None else ()
        return [replace(found, location=Location(link.file, line)) for line in lines] or [found]
    file, more = first_page_with(link)
    notes = (Note(f"a template makes it on {more} more {'page' if more == 1 else 'pages'}"),) if more else ()
    return [replace(found, location=Location(file), notes=notes)]


def lines_in(root: Path) -> Callable[[str, str], Sequence[int]]:
    """Look addresses up in the documents below `root`."""

    @lru_cache(maxsize=64)
    def text_of(file: str) -> FrontMatter | None:
        try:
            return parse(read(f"{root}/{file}"), file)
        except OSError:
            return None

    def lines(file: str, href: str) -> Sequence[int]:
        source = text_of(file)
        return [source.body_line - 1 + line for line in lines_of(source.body, href)] if source else ()

    return lines


def _answers(url: str, paths: Collection[str], rules: Iterable[Rule]) -> bool:
    """Whether a file or a rule answers a URL that is no page."""
    path = url[1:].rstrip("/")
    named = (path, path + ".html", f"{path}/index.html".lstrip("/"), f"{path}/index.json".lstrip("/"))
    if any(name in paths for name in named):
        return True
    return any(rule.source.match(url) is not None for rule in rules)


def _anchor_finding(link: Link, ids: str) -> Diagnostic | None:
    if link.fragment.lower() == "top" or link.fragment.startswith(":~:"):  # a text fragment is no id
        return None
    known = ids.strip("\n").split("\n")
    hint = (
        did_you_mean(link.fragment, known) or f"{link.target} has no such heading; correct the part after #"
    )
    message = f'the link "{link.text}" names the anchor "{link.fragment}", which {link.target} lacks'
    return warning("broken-anchor", message, Location(link.file, link.line), hint)


class _Near:
    """Finds the page a broken link may have meant."""

    def __init__(self, pages: Collection[str]) -> None:
        self._pages = pages
        self._by_name: dict[str, list[str]] = {}
        for url in pages:
            self._by_name.setdefault(url.rpartition("/")[2], []).append(url)

    def hint(self, link: Link) -> str:
        """The page whose last segment is the same or, in a small site, spelt alike; that of the same folder first."""
        folder, _, name = link.target.rstrip("/").rpartition("/")
        name = name.removesuffix(".md").removesuffix(".html")
        known = self._by_name.get(name) or (self._alike(name) if len(self._pages) <= _NEAR else [])
        beside = [url for url in known if url.rpartition("/")[0] == folder] or known
        if beside == [link.text]:
            return f'write {{{{ url_for("{link.text}") }}}}, which puts the base path before it'
        return f'did you mean "{beside[0]}"?' if len(beside) == 1 else ""

    def _alike(self, name: str) -> list[str]:
        near = difflib.get_close_matches(name, sorted(self._by_name), n=1, cutoff=0.7)
        return self._by_name[near[0]] if near else []


def _link_finding(link: Link, near: _Near) -> Diagnostic:
    hint = near.hint(link) or "correct the link, or make the page"
    return warning(
        "broken-link", f'the link "{link.text}" leads nowhere', Location(link.file, link.line), hint
    )
