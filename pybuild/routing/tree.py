"""The tree `app/` as routes: which files answer which URLs, and what surrounds them.

Owns `Route` and `Tree`, and reads the tree without running a line of it. Knows no setting of the site,
no output and no host; whether routes may stand beside each other is `check`'s to say.
Sources: Next.js 16, "Project structure"; docs/routing.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.conventions import (
    IMAGES,
    ROOT_ONLY,
    Folder,
    MetadataKind,
    Special,
    is_server_file,
    metadata_url_name,
    odd_file,
    read_folders,
    special_file,
    translation_language,
)
from pybuild.routing.module_facts import (
    IMAGE_SETTINGS,
    SETTINGS,
    ModuleFacts,
    read_module,
    read_text,
    server_file_fault,
)
from pybuild.routing.segments import Pattern, Segment

RouteKind = Literal["page", "handler", "metadata", "not_found"]
GENERATOR = "generate_static_params"


@dataclass(frozen=True, slots=True)
class Provider:
    """A module that defines `generate_static_params`, and the pattern up to its folder."""

    module: ModuleFacts
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Image:
    """An icon or social image that applies to a page; its pattern is filled with the page's params."""

    kind: MetadataKind
    pattern: Pattern
    file: str  # relative to the site
    alt: str = ""  # text of `opengraph-image.alt.txt`, or the module's `alt`


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a folder hands to the routes in it and below it. All tuples are root outermost first."""

    layouts: tuple[str, ...] = ()  # layout.html files, relative to the site
    layout_modules: tuple[ModuleFacts, ...] = ()  # layout.py files
    providers: tuple[Provider, ...] = ()  # one a folder: its layout.py, else its page.py
    group: str = ""  # innermost route group
    images: tuple[Image, ...] = ()  # of each kind those of the nearest folder that has any; favicon first


ListingKind = Literal["home", "folders", "list", "terms"]


@dataclass(frozen=True, slots=True)
class Listing:
    """Pages that pybuild makes of what there is: none of the site's files is behind them."""

    kind: ListingKind
    collection: str = ""
    term: Literal["", "tags", "authors"] = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One page, route handler, metadata file, or the page for what is not found."""

    kind: RouteKind
    pattern: Pattern
    folder: str  # relative to the site
    module: ModuleFacts | None = None  # page.py, route.py, not-found.py or a metadata file's .py
    template: str = ""  # page.html, relative to the site
    markdown: str = ""  # page.md
    static: str = ""  # a metadata file that is copied
    metadata: MetadataKind | None = None
    surroundings: Surroundings = Surroundings()
    listing: Listing | None = None
    translations: tuple[tuple[str, str], ...] = ()  # language and file: page.de.md
    locale: str = ""  # the language of its pages; "" is the default
    is_fallback: bool = False  # its document is that of the default language

    @property
    def file(self) -> str:
        """The file to name when the route is to blame."""
        own = self.module.file if self.module else self.template or self.markdown or self.static
        return own or next((file for _, file in self.translations), "")

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Who gives params for this route, parents first; the route's own module comes last."""
        outer = tuple(provider for provider in self.surroundings.providers if provider.pattern.is_dynamic)
        if self.module is None or GENERATOR not in self.module.names or not self.pattern.is_dynamic:
            return outer
        own = Provider(self.module, self.pattern)
        return (*(provider for provider in outer if provider.module.file != self.module.file), own)


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything `app/` says."""

    routes: tuple[Route, ...] = ()  # sorted by pattern, then file
    modules: tuple[ModuleFacts, ...] = ()  # every special Python file, sorted by file
    folders: tuple[tuple[Pattern, Surroundings], ...] = ()  # parents first
    findings: tuple[Diagnostic, ...] = ()

    def around(self, pattern: Pattern, locale: str = "") -> Surroundings:
        """What surrounds a URL pattern, also one without a folder: that of its deepest folder.

        Below the prefix of a language it is what surrounds the pattern without it.
        """
        pattern = Pattern(pattern.segments[1:]) if locale else pattern
        best, found = -1, Surroundings()
        for folder, surroundings in self.folders:
            size = len(folder.segments)
            if size > best and pattern.segments[:size] == folder.segments:
                best, found = size, surroundings
        return found


def read_tree(root: Path, languages: Collection[str] = ()) -> Tree:
    """Read `app/` of the site at `root`; a site without one has an empty tree. `languages` are those of the site.

    Findings: those of `read_folders` and `inspect_module`, and for file names `unsupported-feature` and
    `unknown-export`.
    """
    root = root.resolve()
    folders, findings = read_folders(root)
    read = [_read_folder(root, folder, languages) for folder in folders]
    surroundings: dict[str, Surroundings] = {}
    routes: list[Route] = []
    for content in read:
        inherited = surroundings.get(content.folder.parent, Surroundings())
        around = _surroundings(content, inherited)
        surroundings[content.folder.path] = around
        routes += _routes(content, around)
    modules = [module for content in read for module in content.modules.values()]
    found = sorted(disk.name for disk in root.glob("*.*") if is_server_file(disk.name) and disk.is_file())
    faults = [*findings, *(fault for name in found for fault in server_file_fault(root, root / name, name))]
    faults += [fault for content in read for fault in content.findings]
    faults += [fault for module in modules for fault in module.findings]
    return Tree(
        routes=tuple(sorted(routes, key=lambda route: (str(route.pattern), route.file))),
        modules=tuple(sorted(modules, key=lambda module: module.file)),
        folders=tuple((content.pattern, surroundings[content.folder.path]) for content in read),
        findings=tuple(faults),
    )


@dataclass(frozen=True, slots=True)
class _Content:
    """A folder with its special files read."""

    folder: Folder
    pattern: Pattern
    special: Mapping[str, Special]
    modules: Mapping[str, ModuleFacts]  # by file name
    alts: Mapping[str, str]  # text of `*.alt.txt`, by the image's stem
    findings: tuple[Diagnostic, ...]
    translations: tuple[tuple[str, str], ...] = ()  # as in `Route`

    def path(self, name: str) -> str:
        return f"{self.folder.path}/{name}"

    def find(self, role: str, part: str) -> str:
        """The path of the special file, or ""."""
        name = next((n for n, s in self.special.items() if (s.role, s.part) == (role, part)), "")
        return self.path(name) if name else ""

    def module(self, role: str) -> ModuleFacts | None:
        return next(
            (self.modules[n] for n, s in self.special.items() if s.role == role and n in self.modules), None
        )


def _read_folder(root: Path, folder: Folder, languages: Collection[str]) -> _Content:
    special = {name: meaning for name in folder.files if (meaning := special_file(name))}
    modules: dict[str, ModuleFacts] = {}
    alts: dict[str, str] = {}
    findings: list[Diagnostic] = []
    translations: list[tuple[str, str]] = []
    for name, disk in folder.files.items():
        file = f"{folder.path}/{name}"
        if (language := translation_language(name)) in languages:
            translations.append((language, file))
        elif name in special and special[name].part == "python":
            settings = IMAGE_SETTINGS if special[name].metadata in IMAGES else SETTINGS
            modules[name] = read_module(root, disk, file, settings)
        elif name.endswith(".alt.txt"):
            alts[name.removesuffix(".alt.txt")], faults = read_text(disk, file)
            findings += faults
        elif is_server_file(name):
            findings += server_file_fault(root, disk, file)
        elif name not in special and (odd := odd_file(name)):
            message = f"{file} {odd.message}"
            findings.append(Diagnostic(odd.code, message, Location(file), odd.hint, severity=odd.severity))
    pattern = Pattern(tuple(segment for segment in folder.segments if segment.kind != "group"))
    content = _Content(folder, pattern, special, modules, alts, (), tuple(translations))
    return replace(content, findings=(*findings, *_misplaced(content)))


def _is_misplaced(content: _Content, meaning: Special) -> bool:
    """Whether a file only has a meaning at the root, and this is not the root."""
    if meaning.role == "not_found":
        return content.folder.path != "app"
    return meaning.metadata in ROOT_ONLY and content.pattern != Pattern()


def _misplaced(content: _Content) -> list[Diagnostic]:
    findings = []
    for name, meaning in content.special.items():
        if _is_misplaced(content, meaning):
            file = content.path(name)
            message = f"{file} is not read: a site has one, at its root"
            severity: Literal["error", "warning"] = "warning" if meaning.role == "not_found" else "error"
            finding = Diagnostic("unsupported-feature", message, Location(file), f"move it to app/{name}")
            findings.append(replace(finding, severity=severity))
    return findings


def _surroundings(content: _Content, outer: Surroundings) -> Surroundings:
    layout, page = content.module("layout"), content.module("page")
    template = content.find("layout", "template")
    provider = next((module for module in (layout, page) if module and GENERATOR in module.names), None)
    groups = [segment.name for segment in content.folder.segments if segment.kind == "group"]
    # the folder's images replace those of the same kind from above
    own = []
    for name, meaning in content.special.items():
        if meaning.metadata in IMAGES | {"favicon"} and not _is_misplaced(content, meaning):
            assert meaning.metadata is not None, "only metadata files are images"
            module = content.modules.get(name)
            said = module.settings.get("alt") if module else None
            alt = (
                said.value
                if said and isinstance(said.value, str)
                else content.alts.get(name.partition(".")[0], "")
            )
            own.append(Image(meaning.metadata, _metadata_pattern(content, name), content.path(name), alt))
    kinds = {image.kind for image in own}
    kept = [image for image in outer.images if image.kind not in kinds]
    return Surroundings(
        layouts=outer.layouts + ((template,) if template else ()),
        layout_modules=outer.layout_modules + ((layout,) if layout else ()),
        providers=outer.providers + ((Provider(provider, content.pattern),) if provider else ()),
        group=groups[-1] if groups else "",
        images=tuple(
            sorted((*kept, *own), key=lambda image: (image.kind != "favicon", image.kind, image.file))
        ),
    )


def _metadata_pattern(content: _Content, name: str) -> Pattern:
    module = content.modules.get(name)
    said = module.settings.get("content_type") if module else None
    segment = Segment("static", metadata_url_name(name, said.value if said else None))
    return Pattern((*content.pattern.segments, segment))


def _routes(content: _Content, around: Surroundings) -> list[Route]:
    """The routes of one folder: its page, its handler, each metadata file."""
    roles = {meaning.role for meaning in content.special.values() if not _is_misplaced(content, meaning)}
    routes = []
    if "page" in roles or content.translations:
        routes.append(_page(content, around, "page"))
    if "not_found" in roles:
        routes.append(_page(content, around, "not_found"))
    if "handler" in roles:
        module = content.module("handler")
        routes.append(Route("handler", content.pattern, content.folder.path, module, surroundings=around))
    for name, meaning in content.special.items():
        if meaning.metadata and not _is_misplaced(content, meaning):
            route = Route(
                "metadata",
                _metadata_pattern(content, name),
                content.folder.path,
                content.modules.get(name),
                static="" if name in content.modules else content.path(name),
                metadata=meaning.metadata,
                surroundings=around,
            )
            routes.append(route)
    return routes


def _page(content: _Content, around: Surroundings, role: Literal["page", "not_found"]) -> Route:
    pattern = content.pattern if role == "page" else Pattern((Segment("static", "404"),))
    return Route(
        role,
        pattern,
        content.folder.path,
        content.module(role),
        template=content.find(role, "template"),
        markdown=content.find(role, "markdown"),
        surroundings=around,
        translations=content.translations if role == "page" else (),
    )
