"""What an edit of texts makes anew besides its pages: feeds and long texts; and whether all links still lead somewhere.

Owns which files of the output have other bytes then, read from what is kept of the last export and no more of it than
the changed pages need. Publishes nothing.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pybuild.build.link_check import Published, check_links
from pybuild.build.outputs import read_output, write
from pybuild.build.security import needs_of
from pybuild.cache.index import RowSet
from pybuild.cache.kept_site import KeptSite
from pybuild.cache.pages import SharedLinks
from pybuild.cache.session import PARTS
from pybuild.cache.up_to_date import LastExport
from pybuild.config.loader import Config
from pybuild.plan import Job
from pybuild.publish import Output, Stage
from pybuild.publish.manifest_lines import ManifestLines
from pybuild.records import File, Page, Redirection, pack_links
from pybuild.render.links import LinkMap
from pybuild.render.result import ROW, Rendered, link_numbers
from pybuild.site_files.llms import part_again
from pybuild.site_files.variants import FEEDS, KeptText, Parts, Variants
from pybuild.source.secrets import leak_in
from pybuild.source.site import Site


class MoreChanged(Exception):
    """The export has to be made by all phases."""


@dataclass(frozen=True, slots=True)
class LastSite:
    """What such an export begins with."""

    config: Config
    output: Output
    last: LastExport
    pages: RowSet
    texts: RowSet
    kept: KeptSite
    manifest: ManifestLines


@dataclass(frozen=True, slots=True)
class ChangedPages:
    """The pages of the changed documents, as they were and as they are."""

    site: Site
    jobs: Sequence[Job]
    old: Sequence[Rendered]
    new: Sequence[Rendered]
    values: Sequence[list[Any]]  # the rows of `old` as they are kept


def edited_files(base: LastSite, changed: ChangedPages, stage: Stage) -> tuple[list[File], Parts]:
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


def _page(base: LastSite, url: str) -> Page:
    """A page as it is kept. Raises `MoreChanged` where there is none."""
    row = base.pages.get(f"page {url}")
    found = ROW.read(row[-1]).page if row else None
    if found is None:
        raise MoreChanged
    return found


def _feeds(base: LastSite, changed: ChangedPages, parts: Parts, stage: Stage) -> Iterator[File]:
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
    base: LastSite, changed: ChangedPages, variants: Variants, stage: Stage, paths: frozenset[str]
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


def check_edited_links(base: LastSite, changed: ChangedPages) -> None:
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

    base: LastSite
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
