"""What must not be published over.

Owns the findings on an output that is not ours alone. Reads, and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from pybuild.artifact import File
from pybuild.diagnostics import Diagnostic
from pybuild.publish.manifest import Output
from pybuild.publish.stage import Stage
from pybuild.publish.tree import Listing, aliases, obstacles

_NAMED = 5  # foreign files that a message names


@dataclass(frozen=True, slots=True)
class Plan:
    """The old and the new site as sets of paths, and what stands in the output."""

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
        row, seen = stage.rows.get(file.path), listing.files.get(file.path)
        return bool(row and seen and row.file.digest == file.digest and row.matches(seen))

    lost = [file.path for file in files if not is_sound(file)]
    if not lost:
        return ()
    message = f"{lost[0]} was changed or removed while the site was exported ({len(lost)} in all)"
    hint = "export again, and leave .pybuild/ and the output alone until it is done"
    return (Diagnostic("publish-error", message, hint=hint),)
