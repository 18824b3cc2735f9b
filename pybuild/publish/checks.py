"""What an output may be: a folder that is fit for it, and nothing in it that is not ours.

Owns the judgement on `--out` before any work, and the findings on what must not be published over. Reads, and changes
nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location
from pybuild.publish.listing import Listing, aliases, obstacles
from pybuild.publish.manifest import Output
from pybuild.publish.stage import Stage
from pybuild.records import File

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
    for folder in dict.fromkeys((*SOURCE_FOLDERS, *sources)):
        name, source = f"{folder}/", (root / folder).resolve()
        if _within(root, source):
            continue  # every output in the site lies in such a source
        if _within(real, source):
            return f"lies in {name}, which the site is made from", _HINT
        if _within(source, real):
            return f"holds {name}, which the site is made from", _HINT
    return None


def _within(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or lies below it, also under another spelling of the same folder on disk."""
    if path.is_relative_to(folder):
        return True
    if not folder.exists():
        return False
    return any(p.exists() and p.samefile(folder) for p in (path, *path.parents))


def _disk_fault(real: Path) -> tuple[str, str] | None:
    """Judge whether there is a folder or one can be made."""
    base = next(p for p in (real, *real.parents) if os.path.lexists(p))
    if not stat.S_ISDIR(os.lstat(base).st_mode):
        return ("is not a folder" if base == real else f"cannot be made: {base} is not a folder"), _HINT
    if not os.access(base, os.W_OK | os.X_OK):
        return f"cannot be written: {base}", "let this user write there, or choose another folder with --out"
    return None


_NAMED = 5  # foreign files that a message names


@dataclass(frozen=True, slots=True)
class Plan:
    """The old and the new site as sets of paths, and what is in the output."""

    output: Output
    listing: Listing
    old: Set[str]
    wanted: Set[str]

    @property
    def foreign(self) -> list[str]:
        return self.listing.foreign(self.old | self.wanted)

    @property
    def foreign_files(self) -> int:
        """How many foreign files, symlinks and the like there are; folders are not counted."""
        return sum(path not in self.listing.folders for path in self.foreign)

    @property
    def stale(self) -> Set[str]:
        return (self.old - self.wanted) & self.listing.files.keys()


def obstructed(plan: Plan) -> tuple[Diagnostic, ...]:
    """Name foreign things that no flag lets us replace."""
    blocked = obstacles(plan.listing, plan.old, plan.wanted)
    blocked = blocked or aliases(plan.output.out, plan.listing, plan.old, plan.wanted)
    return _refusal(plan.output, blocked, "would have to be removed")


def overwritten(plan: Plan, files: Iterable[File]) -> tuple[Diagnostic, ...]:
    """Name files that no manifest lists and that differ from what the site would write there."""
    unknown = [f for f in files if f.path in plan.listing.files and f.path not in plan.old]
    different = [f.path for f in unknown if not _equals(plan, f)]
    return _refusal(plan.output, different, "would be overwritten")


def _equals(plan: Plan, file: File) -> bool:
    if plan.listing.files[file.path].st_size != file.size:
        return False
    with (plan.output.out / file.path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.digest


def _refusal(output: Output, paths: Sequence[str], fate: str) -> tuple[Diagnostic, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    named = ", ".join(paths[:_NAMED]) + more
    message = f"the output folder {output.key} holds what pybuild did not write and what {fate}: {named}"
    hint = "move it out of the folder, delete it if you do not need it, or choose another folder with --out"
    return (Diagnostic("unsafe-out", message, hint=hint),)


def lost_bodies(
    stage: Stage, files: Iterable[File], kept: Set[str], listing: Listing
) -> tuple[Diagnostic, ...]:
    """Name a file whose bytes went away or changed under our hands, in the stage or in the output."""

    def is_sound(file: File) -> bool:
        if file.path not in kept:
            return stage.look(file.path).st_size == file.size
        row, stamp = stage.previous.rows.get(file.path), listing.files.get(file.path)
        return bool(row and stamp and row.digest == file.digest and stage.is_sound(row, stamp))

    lost = [file.path for file in files if not is_sound(file)]
    if not lost:
        return ()
    message = f"{lost[0]} was changed or removed while the site was exported ({len(lost)} in all)"
    hint = "export again, and leave .pybuild/ and the output alone until it is done"
    return (Diagnostic("publish-error", message, hint=hint),)
