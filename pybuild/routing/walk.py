"""The folders of `app/`, read from disk in one order on every machine.

Owns the walk: sorted, without private folders, following no link that leaves the site. Knows no route.
Source: docs/routing.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.segments import Refused, Segment, parse_segment

_Identity = tuple[int, int]  # device and inode


@dataclass(frozen=True, slots=True)
class Folder:
    """One routed folder: `app`, or a folder below it whose every segment is routed."""

    path: str  # relative to the site, POSIX
    parent: str  # path of the folder around it; "" for `app`
    segments: tuple[Segment, ...]  # from the root, with route groups
    files: Mapping[str, Path]  # regular files by name, sorted


@dataclass(frozen=True, slots=True)
class _Visit:
    disk: Path
    path: str
    parent: str
    segments: tuple[Segment, ...]
    above: frozenset[_Identity]


def walk(root: Path) -> tuple[tuple[Folder, ...], tuple[Diagnostic, ...]]:
    """List the routed folders of the site at `root`, parents first. `root` is resolved by the caller.

    Findings: `invalid-segment`, `unsupported-feature` (slots, intercepting routes), `unsafe-path`
    (links that leave the site, lead nowhere or back up; folders that cannot be read).
    """
    folders: list[Folder] = []
    findings: list[Diagnostic] = []
    visits = [_Visit(root / "app", "app", "", (), frozenset())] if os.path.lexists(root / "app") else []
    if visits and (fault := _link_fault(root, root / "app", "app")):
        visits, findings = [], [fault]
    while visits:
        visit = visits.pop()
        folder, below, faults = _open(root, visit)
        findings += faults
        if folder is not None:
            folders.append(folder)
        visits += reversed(below)
    return tuple(folders), tuple(findings)


def shown(name: str) -> str:
    """A file name as text that can be printed, also where the disk holds bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _open(root: Path, visit: _Visit) -> tuple[Folder | None, list[_Visit], list[Diagnostic]]:
    """Read one folder: itself, the folders to visit next, and what is wrong in it."""
    try:
        status = visit.disk.stat()
        with os.scandir(visit.disk) as listing:
            names = sorted(entry.name for entry in listing)
    except OSError as fault:
        message = f"{visit.path} cannot be read as a folder: {fault.strerror}"
        return None, [], [_unsafe(message, visit.path, "make it a folder that you may read, or remove it")]
    here = (status.st_dev, status.st_ino)
    if here in visit.above:
        return (
            None,
            [],
            [_unsafe(f"{visit.path} is a link to a folder around it", visit.path, "remove the link")],
        )
    files: dict[str, Path] = {}
    below: list[_Visit] = []
    findings: list[Diagnostic] = []
    for name in names:
        found = _entry(root, visit, name, here)
        if isinstance(found, Diagnostic):
            findings.append(found)
        elif isinstance(found, _Visit):
            below.append(found)
        elif found is not None:
            files[name] = found
    return Folder(visit.path, visit.parent, visit.segments, files), below, findings


def _entry(root: Path, visit: _Visit, name: str, here: _Identity) -> Diagnostic | _Visit | Path | None:
    """Judge one name of a folder. None: a private folder, an editor's lock, or no regular file."""
    if name.startswith(("_", ".#")):
        return None
    disk, path = visit.disk / name, f"{visit.path}/{shown(name)}"
    if fault := _link_fault(root, disk, path):
        return fault
    if not disk.is_dir():
        return disk if disk.is_file() else None
    segment = parse_segment(name)
    if isinstance(segment, Refused):
        return Diagnostic(segment.code, shown(segment.reason), Location(path), shown(segment.hint))
    return _Visit(disk, path, visit.path, (*visit.segments, segment), visit.above | {here})


def _link_fault(root: Path, disk: Path, path: str) -> Diagnostic | None:
    if not disk.is_symlink():
        return None
    target = shown(os.fspath(disk.readlink()))
    try:
        real = disk.resolve(strict=True)
    except (OSError, RuntimeError):
        return _unsafe(
            f"{path} is a link to {target}, which leads nowhere", path, "correct or remove the link"
        )
    if (root / "app").is_relative_to(real):
        return _unsafe(f"{path} is a link to {target}, a folder around it", path, "remove the link")
    if real.is_relative_to(root):
        return None
    message = f"{path} is a link to {target}, which is outside the site"
    return _unsafe(message, path, "copy the file into the site, or remove the link")


def _unsafe(message: str, path: str, hint: str) -> Diagnostic:
    return Diagnostic("unsafe-path", message, Location(path), hint)
