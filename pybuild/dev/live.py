"""One reading of the site, rendered page by page as addresses are asked for.

Owns which jobs an address needs, the files that are known so far, and the making of everything else where an output
looks at all pages. Staging is that of the export, in a private folder. Knows no server and no script.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Container, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from pybuild.build import outputs
from pybuild.build.link_check import Published, check_links
from pybuild.build.pipeline import check_site_links, site_order
from pybuild.build.rules import derive
from pybuild.build.runs import Observer, own_outputs, render_with
from pybuild.dev.reading import Reading
from pybuild.diagnostics import Diagnostic
from pybuild.engines import Engine, open_engine
from pybuild.fetching import Session as Fetches
from pybuild.publish import Output, PublishedState, Stage
from pybuild.records import File, Link, Page, by_path, pack_links, unpack_links
from pybuild.render.job import PageJob, resolve
from pybuild.render.links import LinkMap
from pybuild.render.result import Rendered, Rows
from pybuild.render.worker import RenderProgram, homes_of
from pybuild.rules.evaluate import Outcome, Request, decoded, evaluate
from pybuild.rules.file_rules import folders_of
from pybuild.rules.model import RuleSet
from pybuild.source.secrets import leak_finding, leak_in, leak_in_file
from pybuild.urls import page_path, variant_urls

_ROUNDS = 4  # a rewrite may lead to a page that redirects to a name that only rendering tells
_DIGEST = re.compile(r"\.[0-9a-f]{8,}\.[^./]+$")  # of a file of the look, or of a copy that `asset` makes
_MADE = (".xml", ".txt", ".json")  # what a site-wide output may be called
_STAND_IN = ".html"  # of a page that leads on, where a host has no redirects
_SOME_PAGE = Page("/", "", "index.html", "", variant_path="index.md")


class Expected:
    """What a plan will make, as far as it is known before anything is rendered; one for all live sites of a reading."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.by_url = {
            job.url: index for index, job in enumerate(reading.plan.jobs) if job.kind != "not_found"
        }
        self.files: dict[str, File] = {path: File(path, file, "", 0) for path, file in reading.plan.copies}
        self.makers: dict[str, int] = {}  # the job of a file
        untranslated = reading.plan.translations.stand_ins
        self.paths = [tuple(self._paths(index, untranslated)) for index in range(len(reading.plan.jobs))]
        pages = (_SOME_PAGE,) if reading.plan.pages else ()
        self.rules, found = derive(reading.config, pages, self.files, reading.plan.redirections, notable={})
        self.findings = tuple(finding for finding in found if finding.code != "broken-link")  # not yet known

    def _paths(self, index: int, untranslated: Container[str]) -> Iterator[str]:
        job, slash = self.reading.plan.jobs[index], self.reading.config.trailing_slash
        if job.kind == "page":
            own = page_path(job.url, trailing_slash=slash)
            yield from self._expect(index, own, "" if "/" + own == job.url else job.url)
            for url in variant_urls(job.url, trailing_slash=slash) if job.url not in untranslated else ():
                if url[1:] not in self.reading.plan.taken:
                    yield from self._expect(index, url[1:])
        elif job.kind == "not_found":
            yield from self._expect(index, "404.html")
        elif not job.is_folder and job.url != "/":
            yield from self._expect(index, job.url[1:])

    def _expect(self, index: int, path: str, url: str = "") -> Iterator[str]:
        if path not in self.files:
            self.files[path] = File(path, "", "", 0, url)
            self.makers[path] = index
            yield path


class LiveSite:
    """The site of one reading. Close it before another takes its place."""

    def __init__(self, expected: Expected, folder: Path, observer: Observer, fetches: Fetches) -> None:
        """`folder` is private and need not exist; it goes away with this."""
        self.reading = reading = expected.reading
        self._expected = expected
        self._observer = observer
        self._folder = folder
        self._stage = Stage(
            Output(reading.config.root, folder / "out", "dev", folder), folder / "tree", PublishedState()
        )
        self._stage.tree.mkdir(parents=True)
        site, urls = reading.site, reading.plan.pages
        self._extend = own_outputs(site, urls, self._stage, observer, fetches)  # what the site adds itself
        self._program = RenderProgram(reading.site, reading.plan, self._stage, None, fetches)
        self._engine: Engine[int, Rendered | bytes] | None = None
        self._stack = ExitStack()
        self._rows: dict[int, Rendered] = {}
        self._failures: dict[int, tuple[Diagnostic, ...]] = {}
        self._is_whole = False
        self._is_strict = (
            reading.config.settings.security.headers == "strict"
        )  # each page has a policy of its own
        self._notable: set[str] = set()  # folders in which a file has rules of its own
        self.findings = expected.findings  # of the rules; once all is made, of outputs and links too
        self._rules: RuleSet | None = expected.rules
        self._jobs = reading.plan.jobs
        self._by_url = expected.by_url
        self._makers = dict(expected.makers)
        self._sources = {path: reading.config.root / file for path, file in reading.plan.copies}
        self.files = dict(expected.files)
        for path in self._sources if self._is_strict else ():
            if path.endswith(".html"):
                self._note(self.files[path])

    def close(self) -> None:
        self._stack.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _resolved(self, index: int) -> PageJob:
        return resolve(self.reading.site, self._jobs[index], self.reading.plan.root)

    @property
    def rules(self) -> RuleSet:
        if self._rules is None:
            pages = (_SOME_PAGE,) if self.reading.plan.pages else ()
            away = [row.redirection for row in self._rows.values() if row.redirection]
            near = by_path(
                file for file in self.files.values() if not self._notable.isdisjoint(folders_of(file))
            )
            self._rules, _ = derive(
                self.reading.config,
                pages,
                self.files,
                [*away, *self.reading.plan.redirections],
                self._rendered_bytes,
                notable=near,
            )
        return self._rules

    def answer(self, request: Request) -> tuple[Outcome, PageJob | None]:
        """What the site answers, with everything rendered that the answer needs; and the job it comes from, if any."""
        url = self.url_of(request)
        for _ in range(_ROUNDS):
            outcome = evaluate(self.rules, request, self.files)
            wanted = {self._makers.get(outcome.path, -1)}
            if not 300 <= outcome.status < 400:
                wanted.add(self._by_url.get(url, -1))
            if self._is_strict:
                wanted.add(
                    self._makers["404.html"]
                )  # any address may show it, so all policies allow what it needs
            wanted = {index for index in wanted if index >= 0 and not self._is_done(index)}
            if wanted:
                self._render(sorted(wanted))
            elif outcome.status == 404 and not self._is_whole and self._may_be_made(url):
                self._make_rest()
            else:
                break
        own = self._by_url.get(url)
        index = own if own in self._failures else self._makers.get(outcome.path)
        return outcome, None if index is None else self._resolved(index)

    def failure(self, page: PageJob) -> tuple[Diagnostic, ...]:
        """Why a job has no answer; nothing where it has."""
        index = self._makers.get(page.path) if page.job.kind == "not_found" else self._by_url.get(page.url)
        return self._failures.get(-1 if index is None else index, ())

    def url_of(self, request: Request) -> str:
        """The decoded address below the base path, without a slash at its end; "" where there is none."""
        whole, base = decoded(request.path), unquote(self.reading.config.site.base_path)
        if whole is None or not (whole + "/").startswith(base + "/"):
            return ""
        return whole[len(base) :].rstrip("/") or "/"

    def _is_done(self, index: int) -> bool:
        return index in self._rows or index in self._failures

    def _render(self, tasks: list[int]) -> None:
        """Run jobs of the plan; each then has a row or a failure."""
        for index in tasks:
            if faults := self.reading.faults_of(self._resolved(index)):
                self._failures[index] = faults
        left = [index for index in tasks if index not in self._failures]
        rows = Rows(len(left))
        failed = render_with(self._open(), self._program, left, rows, self._observer) if left else {}
        for index in left:
            row = rows[index] if index in rows else Rendered(findings=(failed[index],))
            if any(finding.is_error for finding in row.findings):
                self._failures[index] = row.findings
            else:
                self._add(index, row)

    def _open(self) -> Engine[int, Rendered | bytes]:
        if self._engine is None:
            config = self.reading.config
            limit = config.settings.build.timeout
            opened = open_engine("processes", self._program, jobs=config.jobs, timeout=limit)
            self._engine = self._stack.enter_context(opened)
        return self._engine

    def _add(self, index: int, row: Rendered) -> None:
        """Take in what was rendered: its files, and what only rendering tells of rules."""
        self._rows[index] = row
        made = {file.path for file in row.files}
        for path in self._expected.paths[index]:
            if path not in made:
                del self.files[path], self._makers[path]
                self._rules = None
        for file in row.files:
            if (
                self._is_strict
                or row.redirection
                or file.headers
                or file.media_type
                or file.path not in self.files
            ):
                self._note(file)
            self.files[file.path] = file
            self._makers[file.path] = index
        # what a page brings along: files beside documents, and those of the look
        assets = [asset for asset in row.assets if asset.path not in self.files]
        files, findings = outputs.copy_files(self.reading.config, (), assets, self._stage)
        self.findings = (*self.findings, *findings)
        for file in files:
            self.files[file.path] = file
            if file.headers:
                self._note(file)

    def _rendered_bytes(self, path: str) -> bytes:
        """The bytes of a page, for its security headers; none while it is not rendered."""
        is_done = self._makers.get(path) in self._rows or path in self._sources
        return self.body(path).read_bytes() if is_done else b""

    def _note(self, file: File) -> None:
        """Make the rules again for a file that has some of its own, when they are asked for."""
        self._notable.update(folders_of(file))
        self._rules = None

    def _may_be_made(self, url: str) -> bool:
        """Whether an address that nothing answers yet may be that of a site-wide output or of a file beside a document."""
        if url.endswith((*_MADE, _STAND_IN)) or _DIGEST.search(url) or self._extend:
            return True
        site = self.reading.site
        homes = [*homes_of(site).values()]
        homes += [
            (entry.file.rpartition("/")[0], self.reading.site.files.get(entry.file, "/"))
            for entry in site.documents.values()
        ]
        beside = (
            (folder, base.rstrip("/")) for folder, base in homes if url.startswith(base.rstrip("/") + "/")
        )
        return any((site.config.root / (folder + url[len(base) :])).is_file() for folder, base in beside)

    def _make_rest(self) -> None:
        """Render all that is not rendered, and make the outputs that look at all pages."""
        self._is_whole = True
        self._render([index for index in range(len(self._jobs)) if not self._is_done(index)])
        rows = Rows(len(self._jobs))
        for index, row in sorted(self._rows.items()):
            rows.add(index, row)
        config = self.reading.config
        results = outputs.RenderResults(rows)
        order = site_order(self.reading.site, self.reading.plan.pages)
        copies = self.reading.plan.copies
        moved = self.reading.plan.redirections
        staged, findings = outputs.stage_outputs(
            config, copies, results, self._stage, order, moved, self._extend
        )
        self.findings = (*self.findings, *findings, *check_site_links(staged, results, config, moved, copies))
        for path, file in staged.files.items():
            if self._is_strict or file.headers or file.media_type:
                self._note(file)
            if path not in self._sources:
                self.files[path] = file

    def body(self, path: str) -> Path:
        """Where the bytes of a file of the output lie."""
        return self._sources.get(path) or self._stage.tree / path

    def measured(self, path: str) -> File | tuple[Diagnostic, ...]:
        """A file of the output with its digest and size; errors where it may not be published. Raises `OSError`."""
        file = self.files[path]
        if path not in self._sources:
            return file
        source = self._sources[path]
        origin = source.relative_to(self.reading.config.root).as_posix()
        secrets = self.reading.config.secrets
        if name := leak_in(path.encode(), secrets) or leak_in_file(source, secrets):
            return (leak_finding(name, path, origin),)
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return replace(file, origin=origin, digest=digest, size=stream.tell())

    def warnings_of(self, page: PageJob) -> tuple[Diagnostic, ...]:
        """What rendering a page found that is no error."""
        index = self._by_url.get(page.url)
        row = self._rows.get(-1 if index is None else index)
        return row.findings if row else ()

    def links_of(self, page: PageJob) -> tuple[Diagnostic, ...]:
        """What is wrong with the links of a rendered page, as far as the pages they lead to are known."""
        index = self._by_url.get(page.url)
        row = self._rows.get(-1 if index is None else index)
        if row is None or self._is_whole:
            return ()
        known = {other.page.url: other.anchors for other in self._rows.values() if other.page}
        links = [*unpack_links(row.links), *unpack_links(pack_links(row.template_links))]
        read = (Link(*fields) for fields in links)
        sure = pack_links(link if link.target in known else replace(link, fragment="") for link in read)
        anchors: Mapping[str, str] = {url: known.get(url, "") for url in self.reading.plan.pages}
        config = self.reading.config
        spelt = LinkMap(config, {}, self.reading.plan.pages).published_page
        published = Published(anchors, _WithOutputs(self.files), config.rules, address=spelt)
        return check_links([sure], published, lambda link: (page.origin, 0))


class _WithOutputs(dict[str, File]):
    """Files that are known, and every path that an output may make later: links to it are not judged yet."""

    def __contains__(self, path: object) -> bool:
        return super().__contains__(path) or str(path).endswith(_MADE)
