"""Walking the folders of a site: sorted, inside the site, never in circles.

Owns the rules for symlinks, special files and names that cannot be read. Knows no meaning of a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location

Skip = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file below the walked folder."""

    path: str  # POSIX, relative to the walked folder
    file: Path  # on disk


def walk(root: Path, folder: str, *, skip: Skip = lambda path: False) -> Iterator[Found | Diagnostic]:
    """Yield the files below `root/folder` in sorted order, and `unsafe-path` for what may not be followed.

    `skip` is asked for each path relative to the folder, files and folders alike.
    """
    start = root / folder
    if start.is_dir():
        yield from _walk(_Walk(root.resolve(), folder, skip), start, "", frozenset())


@dataclass(frozen=True, slots=True)
class _Walk:
    root: Path
    folder: str
    skip: Skip

    def fault(self, path: str, message: str, hint: str) -> Diagnostic:
        return Diagnostic(
            "unsafe-path", message, Location(f"{self.folder}/{path}" if path else self.folder), hint
        )


def _walk(
    ask: _Walk, folder: Path, prefix: str, above: frozenset[tuple[int, int]]
) -> Iterator[Found | Diagnostic]:
    try:
        here = folder.stat()
        names = sorted(os.listdir(folder))
    except OSError as fault:
        yield ask.fault(prefix.rstrip("/"), f"this folder cannot be read: {fault.strerror}", "let it be read")
        return
    for name in names:
        path = prefix + name
        if not ask.skip(path):
            yield from _one(ask, folder / name, path, above | {(here.st_dev, here.st_ino)})


def _one(
    ask: _Walk, file: Path, path: str, above: frozenset[tuple[int, int]]
) -> Iterator[Found | Diagnostic]:
    """Judge one entry of a folder and, where it is a folder, walk it."""
    if fault := _name_fault(path):
        yield ask.fault(path.encode("utf-8", "replace").decode(), fault, "rename the file")
        return
    if file.is_symlink() and (refused := _link_fault(ask, file, path)):
        yield refused
        return
    info = file.stat()
    if stat.S_ISDIR(info.st_mode):
        if (info.st_dev, info.st_ino) in above:
            yield ask.fault(path, "this symlink leads back to a folder around it", "remove the symlink")
        else:
            yield from _walk(ask, file, path + "/", above)
    elif stat.S_ISREG(info.st_mode):
        yield Found(path, file)
    else:
        yield ask.fault(path, "this is neither a file nor a folder", "remove it")


def _name_fault(path: str) -> str:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "this name is not UTF-8"
    return ""


def _link_fault(ask: _Walk, file: Path, path: str) -> Diagnostic | None:
    target = str(file.readlink())
    try:
        real = file.resolve(strict=True)
    except (OSError, RuntimeError):
        return ask.fault(path, f"this symlink leads nowhere: {target}", "remove it, or make its target")
    if real.is_relative_to(ask.root):
        return None
    return ask.fault(path, f"this symlink leaves the site: {target}", "copy the file into the site")
