"""The site as it lies on disk, before any of its code has run.

Owns `discover`: routes, documents, public files and templates, read in one pass. Runs no site code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from pybuild.compact import table
from pybuild.config.loader import Config
from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic, Location, has_errors, warning
from pybuild.files import Found, is_dotfile, is_secret_file, walk
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.segments import Pattern, Refused
from pybuild.routing.tree import Route, Tree, read_tree
from pybuild.source.built_in import listing_routes
from pybuild.source.document import (
    ENTRY,
    SUFFIXES,
    Entry,
    ReadFront,
    is_public,
    read_collection,
    read_entry,
    read_front,
)
from pybuild.source.extensions import read_extensions
from pybuild.source.git_dates import History, read_history
from pybuild.source.idle_settings import idle_settings
from pybuild.source.languages import routes_of_languages, with_translations
from pybuild.source.layouts import check_layouts, hidden_texts
from pybuild.source.pictures import broken_files
from pybuild.source.site_lists import KeptLists
from pybuild.source.template_files import COMPONENTS, check_templates
from pybuild.source.unread import unread_files
from pybuild.urls import nfc, path_fault

LEFT_OUT = frozenset({".DS_Store", ".gitkeep", ".gitignore", ".gitattributes"})


class Kept(KeptLists, Protocol):
    """What an earlier export knew of the documents of the same site."""

    @property
    def files(self) -> Mapping[str, str]:
        """As `Site.files`."""

    def entries(self, name: str) -> Sequence[Entry]:
        """The documents of a collection."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything an export starts from."""

    config: Config
    routes: tuple[Route, ...]  # from `app/`, then those of collections that have no page there
    collections: Mapping[str, Sequence[Entry]] = field(default_factory=dict)  # sorted by slug
    patterns: Mapping[str, Pattern] = field(default_factory=dict)  # of the collections
    documents: Mapping[str, Entry] = field(default_factory=dict)  # each page.md by its file
    public: tuple[Found, ...] = ()
    collection_of: tuple[str, ...] = ()  # for each route the collection it renders, or ""
    extensions: ModuleFacts | None = None  # extensions.py
    kept: Kept | None = field(default=None, repr=False)  # what is known of it without reading all documents

    files: Mapping[str, str] = field(init=False, repr=False)  # documents in NFC, to the URLs that are known

    def __post_init__(self) -> None:
        if self.kept:
            object.__setattr__(self, "files", self.kept.files)
            return
        entries = chain(*self.collections.values())
        found = {nfc(entry.file): entry.url for entry in entries if not entry.is_fallback}
        for route in self.routes:
            is_own = route.kind == "page" and not (route.pattern.is_dynamic or route.is_fallback)
            if route.markdown and is_own:
                found[nfc(route.markdown)] = route.pattern.fill({})
        object.__setattr__(self, "files", found)

    def is_filled(self, index: int) -> bool:
        """Whether the documents of a collection, and no code, give the params of a dynamic route."""
        route = self.routes[index]
        has_documents = route.kind == "page" and bool(self.collection_of[index]) and not route.providers
        return bool(route.listing) or has_documents

    @property
    def entries(self) -> Iterator[Entry]:
        """Every document, of collections and of pages."""
        return chain(*self.collections.values(), self.documents.values())


def discover(config: Config, fronts: ReadFront = read_front) -> tuple[Site, Tree, tuple[Diagnostic, ...]]:
    """Read the whole site. Findings: those of the tree, of documents and templates, and
    `unsafe-path`, `secret-in-output`.
    """
    tree = read_tree(config.root, config.languages[1:])
    findings = list(tree.findings)
    patterns: dict[str, Pattern] = {}
    collections: dict[str, Sequence[Entry]] = {}
    for name, collection in config.settings.collections.items():
        pattern = _collection_pattern(collection, config)
        if isinstance(pattern, Diagnostic):
            findings += [pattern] if not collection.locale else []
            continue
        patterns[name] = pattern
        collections[name], faults = read_collection(config, collection, pattern, fronts)
        findings += faults
    collections = dict(with_translations(config, collections))
    documents, unread = _page_documents(tree, config, fronts)
    public, hidden = _public_files(config)
    site, faults = _outlined(Site(config, (), collections, patterns, documents, public), tree)
    findings += faults
    dated, shallow = _with_git_dates(site)
    nothing = () if has_errors(findings) or not config.is_readable else _nothing_fault(site)
    lost = (
        *(unread_files(config.root, config.settings.collections) if config.is_readable else ()),
        *hidden_texts(config.root, _shown_documents(site)),
        *broken_files(config.root, tree.routes),
        *idle_settings(config.root, tree.modules),
    )
    return (
        dated,
        tree,
        (*findings, *nothing, *lost, *unread, *hidden, *_template_faults(config, tree), *shallow),
    )


def _outlined(site: Site, tree: Tree) -> tuple[Site, tuple[Diagnostic, ...]]:
    """A site with its routes and its extensions. Findings: those of built-in pages and of extensions."""
    config, patterns = site.config, site.patterns

    def is_published(file: str) -> bool:
        return file not in site.documents or is_public(site.documents[file], config)

    written = tuple(routes_of_languages(tree.routes, config, is_published))
    routes = (*written, *_built_in_routes(config, tree, written, patterns))
    listings, faults = listing_routes(config, tree, routes, patterns, site.collections)
    routes = (*routes, *listings)
    names = {str(pattern): name for name, pattern in patterns.items()}
    of = tuple("" if route.listing else names.get(str(route.pattern), "") for route in routes)
    extensions, more = read_extensions(config.root, config.settings.markdown.engine)
    made = replace(site, routes=routes, collection_of=of, extensions=extensions)
    return made, (*faults, *more)


def outline(config: Config, documents: Mapping[str, Entry], kept: Kept) -> tuple[Site, Tree]:
    """The site as far as its pages need it one by one: of documents is read only what is asked for.

    `documents` are those of pages. Precondition: `discover` found no error in the same files.
    """
    tree = read_tree(config.root, config.languages[1:])
    found = {name: _collection_pattern(c, config) for name, c in config.settings.collections.items()}
    patterns = {name: pattern for name, pattern in found.items() if isinstance(pattern, Pattern)}
    collections = {name: kept.entries(name) for name in patterns}
    site = Site(config, (), collections, patterns, documents, kept=kept)
    return _outlined(site, tree)[0], tree


def _collection_pattern(collection: Collection, config: Config) -> Pattern | Diagnostic:
    """Read a collection's route: its only parameter is last."""
    pattern = (
        Pattern.parse(collection.route) if collection.route else Refused("it is empty", "", "write a route")
    )
    if isinstance(pattern, Refused):
        message, hint = f"the route of the collection {collection.name}: {pattern.reason}", pattern.hint
        return Diagnostic("config-error", message, collection.location, hint)
    if len(pattern.params) != 1 or not pattern.segments[-1].is_param:
        message = f"the route {pattern} of the collection {collection.name} needs one parameter, at its end"
        hint = f'write route = "/{collection.name}/[...slug]"'
        return Diagnostic("config-error", message, collection.location, hint)
    source = config.root / collection.source
    try:
        source.is_dir()
    except (OSError, ValueError):  # too long, or with a zero in it
        message = f'the source of the collection {collection.name} is no path: "{collection.source}"'
        return Diagnostic("config-error", message, collection.location, "write a folder of the site")
    if not source.resolve().is_relative_to(config.root) or source.resolve() == config.root:
        message = f"the source of the collection {collection.name} lies outside the site: {collection.source}"
        return Diagnostic("unsafe-path", message, collection.location, "move the folder into the site")
    return pattern


def _built_in_routes(
    config: Config, tree: Tree, written: Iterable[Route], patterns: Mapping[str, Pattern]
) -> Iterable[Route]:
    """A page for each collection whose route has none in `app/`."""
    known = (*tree.routes, *written)
    taken = {str(route.pattern) for route in known if route.kind in ("page", "handler")}
    for name, pattern in patterns.items():
        if str(pattern) not in taken:
            locale = config.settings.collections[name].locale
            yield Route("page", pattern, "", surroundings=tree.around(pattern, locale), locale=locale)


def _nothing_fault(site: Site) -> tuple[Diagnostic, ...]:
    """Refuse a site without anything to export, and warn of empty collections; documents left out today are something."""
    config = site.config
    known = [config.settings.collections[name] for name in site.patterns if not site.collections[name]]
    empty = [collection for collection in known if not collection.locale]
    if site.public or any(not _is_empty(site, index) for index in range(len(site.routes))):
        idle = (collection for collection in empty if not _has_files(config, collection))
        return tuple(replace(_empty_collection(collection), severity="warning") for collection in idle)
    if not empty or any(
        isinstance(found, Found) and found.path.endswith(SUFFIXES)
        for collection in empty
        for found in walk(config.root, collection.source, skip=lambda path: False)
    ):
        hint = "write a first page, app/page.md, or a collection"
        if (config.root / "src/app").is_dir() and not (config.root / "app").is_dir():
            hint = "move src/app to app: routes lie beside the settings"
        if empty:
            message = (
                "the site has no page today: each of its documents is a draft or has a date in the future"
            )
            hint = "publish a document, or export with --drafts or --future"
            return (warning("config-error", message, Location(config.file), hint),)
        return (Diagnostic("config-error", "the site has no page", Location(config.file), hint),)
    return tuple(_empty_collection(collection) for collection in empty)


def _is_empty(site: Site, index: int) -> bool:
    """Whether a route is a built-in page of a collection without documents, or of a site without any."""
    route, name = site.routes[index], site.collection_of[index]
    if route.listing:
        return not any(site.collections.values())
    return bool(name) and not route.folder and not site.collections[name]


def _has_files(config: Config, collection: Collection) -> bool:
    """Whether the folder of a collection has any file; those that are not read have findings of their own."""
    found = walk(
        config.root, collection.source.strip("/"), skip=lambda path: path.rpartition("/")[2].startswith(".")
    )
    return any(True for _ in found)


def _empty_collection(collection: Collection) -> Diagnostic:
    message = f'the collection "{collection.name}" has no document: {collection.source} holds no file that ends with ".md"'
    return Diagnostic(
        "config-error", message, collection.location, "write a first document, or correct source"
    )


def _page_documents(
    tree: Tree, config: Config, fronts: ReadFront
) -> tuple[dict[str, Entry], list[Diagnostic]]:
    documents: dict[str, Entry] = {}
    findings: list[Diagnostic] = []
    named = {route.markdown for route in tree.routes if route.markdown}
    named.update(file for route in tree.routes for _, file in route.translations)
    for file in sorted(named):
        entry, faults = read_entry(config, Entry(file=file), fronts)
        findings += faults
        if entry:
            documents[file] = entry
    return documents, findings


def _public_files(config: Config) -> tuple[tuple[Found, ...], list[Diagnostic]]:
    """The files of `public/` in NFC paths. Dotfiles and keys are refused, not skipped."""
    files: list[Found] = []
    findings: list[Diagnostic] = []
    for found in walk(
        config.root, "public", skip=lambda path: path.rpartition("/")[2] in LEFT_OUT, out=config.out
    ):
        if isinstance(found, Diagnostic):
            findings.append(found)
        elif fault := _public_fault(found.path):
            findings.append(fault)
        else:
            files.append(Found(nfc(found.path), found.at))
    return tuple(files), findings


def _public_fault(path: str) -> Diagnostic | None:
    at = Location(f"public/{path}")
    if is_dotfile(path) or is_secret_file(path):
        kind = "dotfiles" if is_dotfile(path) else "key files"
        message = f"public/{path} would be published, and {kind} are not"
        return Diagnostic("secret-in-output", message, at, "move it out of public/, or rename it")
    if fault := path_fault(nfc(path)):
        return Diagnostic("unsafe-path", f"public/{path} cannot be published: {fault}", at, "rename it")
    return None


def _template_faults(config: Config, tree: Tree) -> tuple[Diagnostic, ...]:
    """What is wrong with `templates/` and with the templates of routes, used or not."""
    found = tuple(walk(config.root, "templates"))
    shared = [
        f"templates/{f.path}"
        for f in found
        if isinstance(f, Found)
        and (f.path.endswith(".html") or (f.path.startswith(f"{COMPONENTS}/") and f.path.endswith(".md")))
    ]
    layouts = {file for route in tree.routes for file in route.surroundings.layouts}
    layouts |= {file for _, around in tree.folders for file in around.layouts}
    layouts |= {"templates/default/layout.html"} & set(shared)
    own = {route.template for route in tree.routes if route.template} | layouts
    faults = check_templates(config.root, (*sorted(own), *shared))
    lost = check_layouts(config.root, sorted(layouts))
    return (*(fault for fault in found if isinstance(fault, Diagnostic)), *faults, *lost)


def _shown_documents(site: Site) -> Iterator[tuple[Route, str, Iterator[str]]]:
    """Routes that show documents by nothing but their templates, with the collection and the files."""
    for route, name in zip(site.routes, site.collection_of, strict=True):
        if name and not site.extensions:
            yield route, name, (entry.file for entry in site.collections[name] if not entry.is_fallback)


def _with_git_dates(site: Site) -> tuple[Site, tuple[Diagnostic, ...]]:
    """Fill in what front matter leaves open: last changes, and first dates where a feed names the collection."""
    config = site.config
    if not config.settings.build.git_dates:
        return site, ()
    undated = {entry.file.partition("/")[0] for entry in site.entries if entry.updated is None}
    if not undated:
        return site, ()
    history = read_history(config.root, sorted(undated))
    if history.shallow:
        hint = "fetch the whole history (fetch-depth: 0), write updated: in front matter, or set build.git_dates = false"
        return site, (
            warning("shallow-clone", "the clone is shallow, so git knows no dates of files", hint=hint),
        )
    fed = frozenset(config.settings.feed.collections)
    collections: dict[str, Sequence[Entry]] = {}
    for name, entries in site.collections.items():
        dated = collections[name] = table(ENTRY, len(entries))
        is_fed = config.settings.collections[name].base_name in fed
        dated.extend(_dated(entry, history, feed=is_fed) for entry in entries)
    documents = {file: _dated(entry, history, feed=False) for file, entry in site.documents.items()}
    return replace(site, collections=collections, documents=documents), ()


def _dated(entry: Entry, history: History, *, feed: bool) -> Entry:
    date = entry.date or (history.added.get(entry.file) if feed else None)
    return replace(entry, date=date, updated=entry.updated or history.changed.get(entry.file))
