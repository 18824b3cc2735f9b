"""The spare tree: the output before this one, brought up to date and swapped in again.

Owns the one tree that is kept in the state after a swap. An export that changes one file then links one file, and
not all that stay. The tree is compared with the output by what the disk says of each file, so whatever an export that
was cut off did to it, the next makes it right; in doubt there is none, and the stage is made whole by links. A tree
that is being changed lies in the container of the stage, which recovery drops. Knows no page and no journal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from pybuild.publish.journal import remove
from pybuild.publish.listing import Listing, list_tree, parents_of
from pybuild.publish.manifest import FOLDER_MODE, Output
from pybuild.publish.stage import (
    MARKER,
    Stage,
    containers,
    drop_container,
    fresh_tree,
    make_container,
    make_folders,
    open_to_all,
    trees_in,
)
from pybuild.publish.state import read_file, replace_file


def find_spare(output: Output, generation: str) -> Path | None:
    """The tree that the publication of that generation swapped out; any other is removed. Raises `OSError`."""
    trees = trees_in(output.spare)
    if trees and generation and read_file(output.spare / MARKER) == generation.encode() and len(trees) == 1:
        return trees[0]
    drop_spare(output)
    return None


def drop_spare(output: Output) -> None:
    """Remove the spare tree. Raises `OSError`."""
    drop_container(output.spare)


def keep_spare(output: Output, tree: Path, generation: str, stale: Set[str], wanted: Set[str]) -> None:
    """Make a tree that was swapped out the spare one, without the files that the new output has no more.

    What is in it besides the files of the output is then not ours.
    """
    remove(tree, sorted(stale), sorted(parents_of(stale) - parents_of(wanted), reverse=True))
    drop_spare(output)
    make_container(output.spare, generation)
    tree.rename(output.spare / tree.name)


SETTLED = 2_500_000_000  # nanoseconds; the coarsest clock of a file system ticks every two seconds


@dataclass(frozen=True, slots=True)
class KnownSpare:
    """A spare tree of which is known, without looking at its files, in what it differs from the output."""

    tree: Path
    differing: Sequence[str]  # paths; all others are links to the files of the output


def note_spare(output: Output, generation: str, differing: Sequence[str], folders: Collection[str]) -> None:
    """Write down in what the spare tree differs, and what the disk says of all its folders. Raises `OSError`.

    Where a folder changed so lately that a further change would not show, nothing is.
    """
    output.spare_note.unlink(missing_ok=True)
    (tree,) = trees_in(output.spare)
    now = os.lstat(tree).st_ctime_ns  # it was renamed just now
    stamps = {folder: _stamp(tree, folder) for folder in sorted({"", *folders})}
    if all(stamp[0] <= now - SETTLED for stamp in stamps.values()):
        said = json.dumps([generation, tree.name, stamps, list(differing)]).encode("ascii")
        replace_file(output.spare_note, (hashlib.sha256(said).digest(), said))


def known_spare(output: Output, generation: str) -> KnownSpare | None:
    """The spare tree, where what was written down of it still holds."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        content = read_file(output.spare_note)
        size = hashlib.sha256().digest_size
        if hashlib.sha256(content[size:]).digest() == content[:size]:
            of, name, folders, differing = json.loads(content[size:])
            spare = find_spare(output, generation) if of == generation else None
            holds = spare and all(_stamp(spare, folder) == stamp for folder, stamp in folders.items())
            if spare and spare.name == name and holds:
                return KnownSpare(spare, differing)
    return None


def _stamp(tree: Path, folder: str) -> list[int]:
    """What shows that a name in a folder came, went, or became another file."""
    seen = os.lstat(f"{tree}/{folder}" if folder else tree)
    return [seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_mode]


def mend(stage: Stage, spare: KnownSpare, staged: Collection[str]) -> tuple[Path, Set[str]]:
    """As `refresh`, for a spare tree of which is known in what it differs. No path came or went."""
    tree = fresh_tree(stage.tree.parent)
    spare.tree.rename(tree)
    linked = set(spare.differing) - set(staged)
    for path in linked:
        os.unlink(f"{tree}/{path}")  # noqa: PTH108 - the paths of a site are many
        os.link(f"{stage.output.out}/{path}", f"{tree}/{path}", follow_symlinks=False)
    for path in staged:
        os.replace(f"{stage.tree}/{path}", f"{tree}/{path}")  # noqa: PTH105
    return tree, linked


def is_usable(stage: Stage, spare: Path | None) -> bool:
    """Whether the stage may be made of the spare tree: both lie in the state, on one mount with the output."""
    return spare is not None and stage.tree.parent == containers(stage.output)[0]


def refresh(stage: Stage, spare: Path, live: Listing, kept: Set[str]) -> tuple[Path, Set[str]]:
    """Bring the spare tree up to date: the files of the output that are kept, and those of the stage.

    The tree that is to be swapped in, and the paths of the kept files that were linked anew. Raises `OSError`.
    """
    tree = fresh_tree(stage.tree.parent)
    spare.rename(tree)
    found, staged = list_tree(tree), list_tree(stage.tree, seen=False).files.keys()
    parents = parents_of(kept | staged)
    for path in (*(found.files.keys() - kept - staged), *found.others):
        (tree / path).unlink()
    for folder in sorted(found.folders - parents, reverse=True):
        (tree / folder).rmdir()
    for folder in ("", *(found.folders & parents)):
        if stat.S_IMODE(os.lstat(tree / folder).st_mode) != FOLDER_MODE:
            open_to_all(tree / folder)
    make_folders(tree, parents - found.folders)
    linked = {path for path in kept if found.files.get(path) != live.files[path]}
    for path in linked:
        if path in found.files:
            (tree / path).unlink()
        os.link(stage.output.out / path, tree / path, follow_symlinks=False)
    for path in staged:
        (stage.tree / path).replace(tree / path)
    return tree, linked
