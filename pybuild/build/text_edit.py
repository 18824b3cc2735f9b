"""An export in which only texts of documents changed.

Owns the judgement that nothing else has: then the plan, the trees, the rules and all other pages are what they were, and
of these only what the changed pages need is read. Where more may have changed, nothing is published and the export is
made by all phases. Knows no format.
"""

from __future__ import annotations

import contextlib
from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pybuild import publish
from pybuild.build.edited import ChangedPages, LastSite, MoreChanged, check_edited_links, edited_files
from pybuild.build.repeats import one_of_each
from pybuild.build.runs import Observer, render
from pybuild.cache import fingerprint
from pybuild.cache.fingerprint import digest_of, glance, history
from pybuild.cache.index import FOREIGN
from pybuild.cache.inputs import matcher
from pybuild.cache.kept_site import KeptSite, NotKept
from pybuild.cache.keys import texts_digest
from pybuild.cache.session import PARTS, kept_rows
from pybuild.cache.up_to_date import BuildRecord, Outcome, last_export
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.plan import Job, Plan, document_of
from pybuild.publish import Output, PublishedState, Stage
from pybuild.publish.manifest_lines import ManifestLines
from pybuild.publish.patch import NotPatched, Patch, publish_patch
from pybuild.records import File
from pybuild.render.result import ROW, Rendered, Rows, to_value
from pybuild.render.worker import RenderProgram
from pybuild.routing.segments import Pattern
from pybuild.site_files.variants import Parts
from pybuild.source.document import read_front, with_text_of
from pybuild.source.git_dates import are_dirty
from pybuild.source.site import Site, outline


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


def _base(config: Config, output: Output) -> LastSite | None:
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
    return LastSite(config, output, last, pages, texts, kept, ManifestLines(output))


def _places(finding: Diagnostic) -> set[str]:
    return {finding.location.file, *(note.location.file for note in finding.notes)}


def _exported(base: LastSite, record: BuildRecord, observer: Observer) -> Edited:
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
        files, parts = edited_files(base, changed, stage)
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


def _with_texts(base: LastSite) -> tuple[Site, tuple[Job, ...], Any]:
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


def _rendered(base: LastSite, site: Site, plan: Plan, stage: Stage, observer: Observer) -> ChangedPages:
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
    changed = ChangedPages(site, plan.jobs, old, [rows[index] for index in range(len(rows))], values)
    if any(value[1] for value in values) or not all(map(_is_alike, changed.old, changed.new)):
        raise MoreChanged
    check_edited_links(base, changed)
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


def _published(base: LastSite, stage: Stage, files: Sequence[File]) -> frozenset[str]:
    """Publish the changed files; return the paths that the disk stamps anew. Raises `NotPublished`."""
    if not files:
        return frozenset()
    for file in files:
        base.manifest.replace(file)
    stamped, findings = publish_patch(stage, Patch(base.manifest, files, base.last.times))
    if findings:
        raise NotPublished(findings)
    return frozenset(stamped)


def _keep(
    base: LastSite, record: BuildRecord, changed: ChangedPages, parts: Parts, stamped: frozenset[str]
) -> None:
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


def _rows(kept: KeptSite, changed: ChangedPages) -> Iterator[tuple[str, Any]]:
    """The rows of the changed pages."""
    for job, new, value in zip(changed.jobs, changed.new, changed.values, strict=True):
        parts, made, others, inner, _ = value
        own = document_of(job, changed.site)
        shown = *((own,) if own else ()), *kept.listed(job.url)
        parts = [texts_digest(shown), *parts[1:]]
        yield f"{job.kind} {job.url}", [parts, made, others, inner if new.places else (), to_value(new)]
