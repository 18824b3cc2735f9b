"""Is this folder fit to be an output?

Owns the judgement on `--out` before any work. Writes nothing, knows no manifest: what stands in a fit folder
is judged when the site is published.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location

SOURCE_FOLDERS = ("app", "content", "templates", "public", "lib")
_STATE_FOLDERS = frozenset({".git", ".hg", ".svn", ".pybuild"})
_NOWHERE = Location()
_HINT = "name a folder of its own for the output, such as --out out"


def check_out(
    root: Path,
    out: Path,
    *,
    sources: Sequence[str] = (),
    home: Path | None = None,
    location: Location = _NOWHERE,
) -> tuple[Diagnostic, ...]:
    """Return `unsafe-out` where `out` is no folder of its own that can be written; `()` where it may be used.

    `sources` are further folders the site reads, relative to `root` or absolute; `home` is the user's.
    `location` is where the settings name the folder, if they do.
    """
    try:
        real = out.resolve()
        fault = _place_fault(root.resolve(), real, sources, home) or _disk_fault(real)
    except (OSError, RuntimeError, ValueError) as failure:
        fault = f"cannot be used: {getattr(failure, 'strerror', None) or failure}", _HINT
    if fault is None:
        return ()
    shown = str(out).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return (Diagnostic("unsafe-out", f"the output folder {shown} {fault[0]}", location, fault[1]),)


def _place_fault(root: Path, real: Path, sources: Sequence[str], home: Path | None) -> tuple[str, str] | None:
    """Judge where the folder lies: what is wrong, and what to do."""
    if real == Path(real.anchor):
        return "is the root of the file system", _HINT
    if home is not None and _within(home.resolve(), real):
        return "is your home folder or holds it", _HINT
    if _within(root, real):
        return ("is the site itself" if _within(real, root) else "holds the site"), _HINT
    named = _STATE_FOLDERS.intersection(real.parts)
    if named:
        return f"lies in {min(named)}", _HINT
    for name, source in _protected(root, sources):
        if _within(root, source):
            continue  # every output in the site lies in such a source
        if _within(real, source):
            return f"lies in {name}, which the site is made from", _HINT
        if _within(source, real):
            return f"holds {name}, which the site is made from", _HINT
    return None


def _protected(root: Path, sources: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for name in dict.fromkeys((*SOURCE_FOLDERS, *sources)):
        yield f"{name}/", (root / name).resolve()


def _within(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or lies below it, also under another spelling of the same folder on disk."""
    if path.is_relative_to(folder):
        return True
    if not folder.exists():
        return False
    return any(p.exists() and p.samefile(folder) for p in (path, *path.parents))


def _disk_fault(real: Path) -> tuple[str, str] | None:
    """Judge whether a folder stands there or can be made there."""
    base = next(p for p in (real, *real.parents) if os.path.lexists(p))
    if not stat.S_ISDIR(os.lstat(base).st_mode):
        return ("is not a folder" if base == real else f"cannot be made: {base} is not a folder"), _HINT
    if not os.access(base, os.W_OK | os.X_OK):
        return f"cannot be written: {base}", "let this user write there, or choose another folder with --out"
    return None
