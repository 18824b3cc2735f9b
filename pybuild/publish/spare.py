"""The spare tree: the output before this one, brought up to date and swapped in again.

Owns the one tree that is kept in the state after a swap. An export that changes one file then links one file, and
not all that stay. The tree is compared with the output by what the disk says of each file, so whatever an export that
was cut off did to it, the next makes it right; in doubt there is none, and the stage is made whole by links. A tree
that is being changed lies in the container of the stage, which recovery drops. Knows no page and no journal.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Set
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
from pybuild.publish.state import read_file


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
