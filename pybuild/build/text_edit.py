"""An export in which only texts of documents changed.

Owns the judgement that nothing else has: then the plan, the trees, the rules and all other pages are what they were, and
of these only what the changed pages need is read. Where more may have changed, nothing is published and the export is
made by all phases. Knows no format.
"""

from __future__ import annotations

import contextlib
import pkgutil
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pybuild import publish
from pybuild.build.link_check import Published, check_links
from pybuild.build.outputs import read_output, write
from pybuild.build.repeats import one_of_each
from pybuild.build.runs import Observer, render
from pybuild.build.security import needs_of
from pybuild.cache import fingerprint
from pybuild.cache.fingerprint import digest_of, glance, history
from pybuild.cache.index import FOREIGN, RowSet
from pybuild.cache.inputs import matcher
from pybuild.cache.kept_site import KeptSite, NotKept
from pybuild.cache.keys import texts_digest
from pybuild.cache.pages import SharedLinks
from pybuild.cache.session import PARTS, kept_rows
from pybuild.cache.up_to_date import BuildRecord, LastExport, Outcome, last_export
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.plan import Job, Plan, document_of
from pybuild.publish import Output, PublishedState, Stage
from pybuild.publish.manifest_lines import ManifestLines
from pybuild.publish.patch import NotPatched, Patch, publish_patch
from pybuild.records import File, Page, Redirection, pack_links
from pybuild.render.links import LinkMap
from pybuild.render.result import ROW, Rendered, Rows, link_numbers, to_value
from pybuild.render.worker import RenderProgram
from pybuild.routing.segments import Pattern
from pybuild.site_files.llms import part_again
from pybuild.site_files.variants import FEEDS, KeptText, Parts, Variants
from pybuild.source.document import read_front, with_text_of
from pybuild.source.git_dates import are_dirty
from pybuild.source.secrets import leak_in
from pybuild.source.site import Site, outline


class MoreChanged(Exception):
    """The export has to be made by all phases."""


class NotPublished(Exception):
    """Publishing failed, after it was known that only texts changed."""

    def __init__(self, findings: Sequence[Diagnostic]) -> None:
        super().__init__(findings)
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of such an export."""

    outcome: Outcome
    written: int
    cached: int


@dataclass(frozen=True, slots=True)
class _Base:
    """What such an export begins with."""

    config: Config
    output: Output
    last: LastExport
    pages: RowSet
    texts: RowSet
    kept: KeptSite
    manifest: ManifestLines


@dataclass(frozen=True, slots=True)
class _Changed:
    """The pages of the changed documents, as they were and as they are."""

    site: Site
    jobs: Sequence[Job]
    old: Sequence[Rendered]
    new: Sequence[Rendered]
    values: Sequence[list[Any]]  # the rows of `old` as they are kept


def export_texts(config: Config, output: Output, observer: Observer) -> Edited | None:
    """Make and publish the site; None where more than texts of documents changed, and nothing was published.

    Raises `NotPublished`. Precondition: the lock is held and `recover` has run.
    """
    if observer.asked or config.redirect_module:
        return None
    record = BuildRecord(config)  # its header is taken before anything is read
    with contextlib.suppress(MoreChanged, NotKept, NotPatched, OSError, *FOREIGN):
        if base := _base(config, output):
            return _exported(base, record, observer)
    return None


def _base(config: Config, output: Output) -> _Base | None:
    last = last_export(config)
    if last is None or not (last.changed and last.token and last.times):
        return None
    if any(_places(finding) & last.changed for finding in last.outcome.findings):
        return None  # it may have another line now
    pages, texts = kept_rows(config, output)
    kept = KeptSite(pages)
    depends = any(matcher(globs)(path) for globs in kept.globs for path in last.changed)
    if kept.token != last.token or depends:
        return None
    return _Base(config, output, last, pages, texts, kept, ManifestLines(output))


def _places(finding: Diagnostic) -> set[str]:
    return {finding.location.file, *(note.location.file for note in finding.notes)}


def _exported(base: _Base, record: BuildRecord, observer: Observer) -> Edited:
    site, jobs, root = _with_texts(base)
    manifest = base.manifest
    previous = PublishedState(manifest, manifest.head["memo"], manifest.generation)
    stage, _ = publish.open_stage(base.output, previous)
    if stage is None:
        raise MoreChanged
    observer.lap("start")
    try:
        changed = _rendered(
            base, site, Plan(jobs, base.kept.pages, base.kept.taken, root=root), stage, observer
        )
        files, parts = _files(base, changed, stage)
        observer.lap("render")
        stamped = _published(base, stage, files)
        observer.lap("publish")
    finally:
        base.pages.close()
        base.texts.close()
        publish.discard(stage)
    with contextlib.suppress(OSError):
        _keep(base, record, changed, parts, stamped)
    observer.lap("cache")
    pages = sum(row.page is not None for row in changed.new)
    return Edited(base.last.outcome, len(files), base.last.outcome.pages - pages)


def _with_texts(base: _Base) -> tuple[Site, tuple[Job, ...], Any]:
    """The site with the changed documents, and the jobs that render them. Raises `MoreChanged`."""
    config, kept = base.config, base.kept
    documents = ChainMap(kept.changed, kept.documents)  # type: ignore[arg-type]
    site, tree = outline(config, documents, kept)
    if len(site.routes) != kept.routes:
        raise MoreChanged
    has_history = config.settings.build.git_dates and bool(history(config.root))
    if has_history and not are_dirty(config.root, base.last.changed):
        raise MoreChanged
    jobs: dict[Job, None] = {}
    for file in sorted(base.last.changed):
        found = kept.jobs(file)
        front, findings = read_front(config.root, file, config.zone)
        for job in found:
            entry = document_of(job, site)
            if job.kind not in ("page", "not_found"):
                raise MoreChanged
            if entry is None or entry.file != file:
                continue  # a list shows it
            made = with_text_of(entry, front)
            if made is None:
                raise MoreChanged
            if job.entry >= 0:
                kept.entries(site.collection_of[job.route]).changed[job.entry] = made
            else:
                kept.changed[file] = made
        if findings or not found:
            raise MoreChanged
        jobs.update(dict.fromkeys(found))
    return site, tuple(jobs), tree.around(Pattern())


def _rendered(base: _Base, site: Site, plan: Plan, stage: Stage, observer: Observer) -> _Changed:
    """Render the pages. Raises `MoreChanged` where more of one changed than its text."""
    values = [base.pages.get(f"{job.kind} {job.url}") for job in plan.jobs]
    old = [ROW.read(value[-1]) for value in values]
    base.pages.close()  # workers are forked from here
    memo = base.config.state / "cache" / fingerprint.markdown_folder(base.config)
    program = RenderProgram(site, plan, stage, None if memo.is_symlink() else memo)
    rows, findings = render(program, range(len(plan.jobs)), Rows(len(plan.jobs)), observer)
    before = ((index, finding) for index, row in enumerate(old) for finding in row.findings)
    if findings != one_of_each(site, plan.jobs, before) or len(rows) != len(old):
        raise MoreChanged
    changed = _Changed(site, plan.jobs, old, [rows[index] for index in range(len(rows))], values)
    if any(value[1] for value in values) or not all(map(_is_alike, changed.old, changed.new)):
        raise MoreChanged
    _check_links(base, changed)
    return changed


def _is_alike(old: Rendered, new: Rendered) -> bool:
    """Whether two rows of a page tell the rest of the site the same, but for what feeds show."""
    shapes = [[replace(file, digest="", size=0) for file in row.files] for row in (old, new)]
    same = [
        (
            row.page and replace(row.page, content=""),
            row.redirection,
            row.assets,
            row.anchors,
            row.fetched,
            row.findings,
        )
        for row in (old, new)
    ]
    return shapes[0] == shapes[1] and same[0] == same[1] and not (old.keeps or new.keeps)


def _check_links(base: _Base, changed: _Changed) -> None:
    """Raise `MoreChanged` where a link that was written or deleted leads nowhere."""
    packed: list[str] = []
    shared = SharedLinks(base.pages)
    for old, new in zip(changed.old, changed.new, strict=True):
        packed += [old.links, new.links] if old.links != new.links else []
        numbers = {*link_numbers(old.template_link_ids)} ^ {*link_numbers(new.template_link_ids)}
        if not (shared.has(old.template_link_ids) and shared.has(new.template_link_ids)):
            raise MoreChanged  # a link that no page had
        packed += [pack_links(shared[number] for number in numbers)] if numbers else []
    if not packed:
        return
    links = LinkMap(base.config, {}, base.kept.pages)
    moved = (Redirection(url, "", 308, "", None) for url in base.kept.redirected)
    paths = _Paths(base.manifest, f"[{base.config.target}]")
    published = Published(_Anchors(base), paths, base.config.rules, moved, links.published_page)
    if check_links(packed, published, lambda link: ("", 0)):
        raise MoreChanged


@dataclass(frozen=True, slots=True)
class _Anchors(Mapping[str, str]):
    """The ids of pages and of HTML of handlers, as of `RenderResults.anchors`."""

    base: _Base
    known: dict[str, str | None] = field(default_factory=dict)

    def get(self, url: str, default: Any = None) -> Any:
        if url not in self.known:
            kind = "page" if url in self.base.kept.pages else "handler"
            value = self.base.pages.get(f"{kind} {url}")
            found = ROW.read(value[-1]).anchors if value else ""
            self.known[url] = found if found or kind == "page" else None
        return self.known[url] if self.known[url] is not None else default

    def __getitem__(self, url: str) -> str:
        found = self.get(url)
        if found is None:
            raise KeyError(url)
        return str(found)

    def __contains__(self, url: object) -> bool:
        return isinstance(url, str) and self.get(url) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.base.kept.pages)

    def __len__(self) -> int:
        return len(self.base.kept.pages)


@dataclass(frozen=True, slots=True)
class _Paths(Mapping[str, File]):
    """The published files but those that only the target reads."""

    rows: ManifestLines
    target: str

    def __getitem__(self, path: str) -> File:
        file = self.rows[path]
        if file.origin == self.target:
            raise KeyError(path)
        return file

    def __iter__(self) -> Iterator[str]:
        return (path for path in self.rows if path in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _files(base: _Base, changed: _Changed, stage: Stage) -> tuple[list[File], Parts]:
    """The files that have other bytes now, feeds and long texts among them."""
    found: dict[str, File] = {}
    for old, new in zip(changed.old, changed.new, strict=True):
        for before, file in zip(old.files, new.files, strict=True):
            if before.digest != file.digest:
                found[file.path] = file
    if base.config.settings.security.headers == "strict":
        for path in (path for path in found if path.endswith(".html")):
            if needs_of(read_output(stage, path)) != needs_of((base.output.out / path).read_bytes()):
                raise MoreChanged
    parts = Parts(base.texts.get(PARTS))
    variants = Variants(
        lambda page: read_output(stage, page.variant_path).decode(),
        lambda page: (found.get(page.variant_path) or base.manifest[page.variant_path]).digest,
        stage.holds,
        parts,
    )
    texts = _texts(base, changed, variants, stage, frozenset(found))
    for file in [*_feeds(base, changed, parts, stage), *texts]:
        found[file.path] = file
    return [found[path] for path in sorted(found)], parts


def _page(base: _Base, url: str) -> Page:
    """A page as it is kept. Raises `MoreChanged` where there is none."""
    row = base.pages.get(f"page {url}")
    found = ROW.read(row[-1]).page if row else None
    if found is None:
        raise MoreChanged
    return found


def _feeds(base: _Base, changed: _Changed, parts: Parts, stage: Stage) -> Iterator[File]:
    """Stage the feeds, where one shows the content of a changed page."""
    parts.made[FEEDS] = parts.last[FEEDS]
    kept = base.texts.get(f"pages {FEEDS}")
    own = {row.page.url: row.page for row in changed.new if row.page}
    if all(old.page == new.page for old, new in zip(changed.old, changed.new, strict=True)):
        return
    feeds_again = pkgutil.resolve_name("pybuild.site_files.feeds:feeds_again")  # loads what few edits need
    for made in feeds_again(kept, lambda url: own.get(url) or _page(base, url), base.config):
        if leak_in(made.body, base.config.secrets):
            raise MoreChanged
        published = base.manifest[made.path]
        if published.origin == made.origin and (file := write(stage, made)).digest != published.digest:
            yield file


def _texts(
    base: _Base, changed: _Changed, variants: Variants, stage: Stage, paths: frozenset[str]
) -> Iterator[File]:
    """Stage the parts of long texts in which a changed page is. Raises `MoreChanged` where one has other pages now."""
    own = {row.page.url: row.page for row in changed.new if row.page and row.page.variant_path in paths}
    for name in variants.parts.last.keys() - {FEEDS}:
        key, size, digest = variants.last_part(name)
        kept = KeptText(*base.texts.get(f"pages {name}"))
        path = kept.path
        if not own.keys().isdisjoint(kept.urls):
            pages = [own.get(url) or _page(base, url) for url in kept.urls]
            made = part_again(kept, size, pages, variants)
            if made is None or leak_in(made.body, base.config.secrets):
                raise MoreChanged
            key = variants.part_digest(kept.opening, pages)
            if path:
                file = write(stage, made)
                digest = file.digest
                if digest != base.manifest[path].digest:
                    yield file
        variants.parts.made[name] = key, size, digest


def _published(base: _Base, stage: Stage, files: Sequence[File]) -> frozenset[str]:
    """Publish the changed files; return the paths that the disk stamps anew. Raises `NotPublished`."""
    if not files:
        return frozenset()
    for file in files:
        base.manifest.replace(file)
    stamped, findings = publish_patch(stage, Patch(base.manifest, files, base.last.times))
    if findings:
        raise NotPublished(findings)
    return frozenset(stamped)


def _keep(base: _Base, record: BuildRecord, changed: _Changed, parts: Parts, stamped: frozenset[str]) -> None:
    """Keep what was made for the next export, unless the site changed meanwhile. Raises `OSError`."""
    if glance(base.config).folders != base.last.seen.folders or any(
        digest_of(base.config.root / path) != digest for path, digest in base.last.seen.fresh.items()
    ):
        return
    base.pages.update((*_rows(base.kept, changed), *base.kept.updates()))
    base.pages.keep()
    if parts.made != parts.last:
        base.texts.update([(PARTS, parts.made)])
        base.texts.keep()
    touched = {path.rpartition("/")[0] for path in stamped}
    record.update(base.last.outcome, base.last, touched)


def _rows(kept: KeptSite, changed: _Changed) -> Iterator[tuple[str, Any]]:
    """The rows of the changed pages."""
    for job, new, value in zip(changed.jobs, changed.new, changed.values, strict=True):
        parts, made, others, inner, _ = value
        own = document_of(job, changed.site)
        shown = *((own,) if own else ()), *kept.listed(job.url)
        parts = [texts_digest(shown), *parts[1:]]
        yield f"{job.kind} {job.url}", [parts, made, others, inner if new.places else (), to_value(new)]
