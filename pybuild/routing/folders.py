"""The folders of `app/` that are routed, with their files.

Owns which folders count: every one whose name and whose parents' names are segments, none that is private.
What may be followed on disk is `pybuild.walk`'s to say. Knows no special file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.segments import Refused, Segment, parse_segment
from pybuild.walk import walk

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
    if (fault := _root_fault(root)) or not (root / "app").is_dir():
        return (), (fault,) if fault else ()
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


def _root_fault(root: Path) -> Diagnostic | None:
    if (root / "app").resolve().is_relative_to(root):
        return None
    return Diagnostic(
        "unsafe-path", "app is a link that leaves the site", Location("app"), "move the folder here"
    )


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
