"""The folders of `app/` that are routed, and the file names that mean something there.

Owns which folders count (every one whose name and whose parents' names are segments, none that is private), the table of
special files, and names that look as if they were special. Opens nothing and knows no route; what may be followed on
disk is for `pybuild.files` to say.
Sources: Next.js 16, "File-system conventions" and "Metadata Files"; docs/routing.md for what differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pybuild.diagnostics import Diagnostic, Location, Severity
from pybuild.files import walk
from pybuild.routing.segments import Refused, Segment, parse_segment

Role = Literal["page", "layout", "handler", "not_found", "metadata"]
Part = Literal["python", "template", "markdown", "static"]
MetadataKind = Literal[
    "sitemap", "robots", "manifest", "favicon", "icon", "apple-icon", "opengraph-image", "twitter-image"
]

IMAGES = frozenset({"icon", "apple-icon", "opengraph-image", "twitter-image"})
ROOT_ONLY = frozenset({"robots", "manifest", "favicon"})
_PARTS: Mapping[str, Part] = {"py": "python", "html": "template", "md": "markdown"}
_PAGES: Mapping[str, tuple[Role, frozenset[str]]] = {
    "page": ("page", frozenset({"py", "html", "md"})),
    "layout": ("layout", frozenset({"py", "html"})),
    "route": ("handler", frozenset({"py"})),
    "not-found": ("not_found", frozenset({"py", "html", "md"})),
}
_PICTURES = frozenset({"avif", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp"})
_METADATA: Mapping[MetadataKind, frozenset[str]] = {
    "sitemap": frozenset({"xml"}),
    "robots": frozenset({"txt"}),
    "manifest": frozenset({"json", "webmanifest"}),
    "favicon": frozenset({"ico"}),
    "icon": _PICTURES,
    "apple-icon": _PICTURES,
    "opengraph-image": _PICTURES,
    "twitter-image": _PICTURES,
}
_MADE: Mapping[str, str] = {"sitemap": ".xml", "robots": ".txt", "manifest": ".webmanifest"}
_SUFFIXES: Mapping[str, str] = {
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/vnd.microsoft.icon": ".ico",
    "image/webp": ".webp",
    "image/x-icon": ".ico",
}
_SCRIPTS = frozenset({"cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"})
_BESIDE = frozenset({"css", "scss", "module.css", "test.py", "pyi", "pyc"})
_SERVER_FILES = frozenset({"proxy", "middleware"})
_CLIENT_FILES: Mapping[str, str] = {
    "default": "there are no parallel routes",
    "error": "nothing fails while a static file is served",
    "global-error": "nothing fails while a static file is served",
    "loading": "nothing loads while a static file is served",
    "template": "nothing is mounted again in static HTML",
}


@dataclass(frozen=True, slots=True)
class Special:
    """What a file name means in a segment."""

    role: Role
    part: Part
    metadata: MetadataKind | None = None


@dataclass(frozen=True, slots=True)
class Oddity:
    """Why a file name is worth a finding."""

    code: str
    message: str  # goes behind the file's path
    hint: str
    severity: Severity = "error"


def special_file(name: str) -> Special | None:
    """Read the meaning of a file name; None for an ordinary file that is only kept beside the routes."""
    stem, _, extension = name.partition(".")
    if stem in _PAGES:
        role, extensions = _PAGES[stem]
        return Special(role, _PARTS[extension]) if extension in extensions else None
    kind = _metadata_kind(stem)
    if kind is None or (extension == "py" and kind == "favicon"):
        return None
    if extension in _METADATA[kind]:
        return Special("metadata", "static", kind)
    return Special("metadata", "python", kind) if extension == "py" else None


def translation_language(name: str) -> str:
    """The language of a page's translation: `page.de.md` → `de`; "" for any other file."""
    stem, _, extension = name.partition(".")
    return extension.removesuffix(".md") if stem == "page" and extension.endswith(".md") else ""


def metadata_url_name(name: str, content_type: object) -> str:
    """Name the last segment of a metadata file's URL: `sitemap.py` → `sitemap.xml`, `icon.png` → `icon.png`.

    An image that is made takes its suffix from `content_type`, `image/png` where that is None.
    """
    stem, _, extension = name.partition(".")
    if extension != "py":
        return name
    return stem + (_MADE.get(stem) or _SUFFIXES.get(str(content_type or "image/png"), ""))


def odd_file(name: str) -> Oddity | None:
    """Say what is wrong with a file that Next.js or a typing error meant as special.

    Codes: `unsupported-feature`, and the warning `unknown-export` for names that are nearly special.
    """
    stem, _, extension = name.partition(".")
    if special_file(name):
        return None
    if extension in _SCRIPTS | {"mdx"} and (meant := _instead_of_script(stem, extension)):
        what = "Markdown is never run as code" if extension == "mdx" else "there is no JavaScript runtime"
        return Oddity("unsupported-feature", f"is not read: {what}", f"write {meant} instead")
    if stem in _CLIENT_FILES and (
        extension in _SCRIPTS | {"html", "md"} or (extension == "py" and stem != "template")
    ):
        message = f"has no meaning in an export: {_CLIENT_FILES[stem]}"
        return Oddity(
            "unsupported-feature", message, "delete it, or keep it in a folder named _private", "warning"
        )
    return _misspelt(name) or _unread(stem, extension)


def is_server_file(name: str) -> bool:
    """Whether a file is Next.js's proxy or middleware: `proxy.py`, `middleware.ts`."""
    stem, _, extension = name.partition(".")
    return stem in _SERVER_FILES and extension in _SCRIPTS | {"py"}


def _metadata_kind(stem: str) -> MetadataKind | None:
    kind = re.sub(r"(?<=[a-z])\d$", "", stem)
    return next(
        (known for known in _METADATA if known in (stem, kind) and (known == stem or known in IMAGES)), None
    )


def _instead_of_script(stem: str, extension: str) -> str:
    if extension == "mdx":
        return f"{stem}.md" if stem in {"page", "not-found"} else ""
    if stem in _PAGES:
        return " or ".join(f"{stem}.{known}" for known in ("md", "html", "py") if known in _PAGES[stem][1])
    return f"{stem}.py" if _metadata_kind(stem) not in {None, "favicon"} else ""


def _unread(stem: str, extension: str) -> Oddity | None:
    """Find a special name with an extension that is not read; sources of styles and backups may stand beside routes."""
    kind = _metadata_kind(stem)
    if stem in _PAGES:
        meant = [f"{stem}.{known}" for known in ("md", "html", "py") if known in _PAGES[stem][1]]
    elif stem == "favicon":
        meant = ["favicon.ico", f"icon.{extension}"] if extension in _PICTURES else ["favicon.ico"]
    elif kind:
        meant = [f"{stem}.{known}" for known in (*sorted(_METADATA[kind]), "py")]
    else:
        return None
    if extension in _BESIDE or extension.endswith("alt.txt") or not extension:
        return None
    return Oddity("unknown-export", "is not read", f"name it {' or '.join(meant)}", "warning")


def _misspelt(name: str) -> Oddity | None:
    """Find the special file that differs only in letter case, a plural s, or - written as _ or left out."""
    stem, _, extension = name.partition(".")
    for known in (*_PAGES, *_METADATA):
        folded = re.sub(r"[-_ ]", "", stem).lower()
        near = f"{known}.{extension.lower()}"
        if folded.removesuffix("s") == known.replace("-", "").removesuffix("s") and special_file(near):
            return Oddity("unknown-export", "is not a special file", f'did you mean "{near}"?', "warning")
    if name in {"index.md", "index.html"}:
        near = name.replace("index", "page")
        return Oddity("unknown-export", "is not a special file", f'did you mean "{near}"?', "warning")
    return None


_SKIPPED = ("_", ".#")  # private folders and files, the locks of editors


@dataclass(frozen=True, slots=True)
class Folder:
    """One routed folder: `app`, or a folder below it."""

    path: str  # relative to the site, POSIX
    segments: tuple[Segment, ...] = ()  # from the root, with route groups
    files: Mapping[str, Path] = field(default_factory=dict)  # by name, sorted

    @property
    def parent(self) -> str:
        return self.path.rpartition("/")[0]


def read_folders(root: Path) -> tuple[tuple[Folder, ...], tuple[Diagnostic, ...]]:
    """List the routed folders of the site at `root` that hold files, and those around them, parents first.

    Findings: `unsafe-path`, and for each folder that is no segment `invalid-segment` or
    `unsupported-feature` (slots, intercepting routes).
    """
    if not (root / "app").resolve().is_relative_to(root):
        message = "app is a link that leaves the site"
        return (), (Diagnostic("unsafe-path", message, Location("app"), "move the folder here"),)
    if not (root / "app").is_dir():
        return (), ()
    folders: dict[str, Folder | Diagnostic | None] = {"app": Folder("app")}
    files: dict[str, dict[str, Path]] = {}
    findings: list[Diagnostic] = []
    for found in walk(root, "app", skip=lambda path: path.rpartition("/")[2].startswith(_SKIPPED)):
        if isinstance(found, Diagnostic):
            findings.append(found)
            continue
        folder, _, name = f"app/{found.path}".rpartition("/")
        files.setdefault(folder, {})[name] = found.file
        _add(folders, folder)
    findings += [folder for folder in folders.values() if isinstance(folder, Diagnostic)]
    routed = [folder for folder in folders.values() if isinstance(folder, Folder)]
    ordered = sorted(routed, key=lambda folder: folder.path.split("/"))
    return tuple(Folder(f.path, f.segments, files.get(f.path, {})) for f in ordered), tuple(findings)


def _add(folders: dict[str, Folder | Diagnostic | None], path: str) -> Folder | None:
    """Parse a folder and those around it; None below one that was refused."""
    if path not in folders:
        around, _, name = path.rpartition("/")
        outer, segment = _add(folders, around), parse_segment(name)
        if outer is None:
            folders[path] = None
        elif isinstance(segment, Refused):
            folders[path] = Diagnostic(segment.code, segment.reason, Location(path), segment.hint)
        else:
            folders[path] = Folder(path, (*outer.segments, segment))
    found = folders[path]
    return found if isinstance(found, Folder) else None
