"""A publication that changes the bytes of some files, and nothing else.

Owns the way of an edit to the output: rows of the manifest and files of the spare tree that stay are not looked at.
It keeps every promise of `commit`: one swap, one journal, the same recovery. Knows no page.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from pybuild.diagnostics import Diagnostic
from pybuild.publish.commit import drop_stage, link_unchanged
from pybuild.publish.journal import Journal, finish, rescue, save_journal
from pybuild.publish.listing import Stamp, list_tree, scan
from pybuild.publish.manifest import STAMP, read_numbers, save_numbers, save_stamps
from pybuild.publish.manifest_lines import ManifestLines
from pybuild.publish.os_errors import publish_error
from pybuild.publish.spare import (
    drop_spare,
    find_spare,
    is_usable,
    keep_spare,
    known_spare,
    mend,
    note_spare,
    refresh,
)
from pybuild.publish.stage import Stage, fresh_tree
from pybuild.publish.syscalls import sync_tree
from pybuild.records import File

_NONE: Set[str] = frozenset()


class NotPatched(Exception):
    """The output must be published as a whole; nothing of it has changed."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Files of the output that are staged with other bytes. Their rows are in `rows` already."""

    rows: ManifestLines
    files: Sequence[File]  # sorted by path
    times: Mapping[str, int]  # of the folders of the output, all of which are ours, as of `TreeStamps`


def publish_patch(stage: Stage, patch: Patch) -> tuple[Set[str], tuple[Diagnostic, ...]]:
    """Publish the files; return the paths that the disk stamps anew. Finding: `publish-error`. Raises `NotPatched`.

    Precondition: the output is what the manifest says, without a foreign file; the lock is held.
    """
    try:
        tree = fresh_tree(stage.tree.parent)  # where no worker that wakes up late writes
        stage.tree.rename(tree)
        return _published(replace(stage, tree=tree), patch)
    except OSError as fault:
        doing = "publish the site, the output is as it was"
        if stage.output.journal.exists():
            doing = "finish publishing the site, the next export will"
        return _NONE, (publish_error(fault, doing, needed=sum(file.size for file in patch.files)),)


def _published(stage: Stage, patch: Patch) -> tuple[Set[str], tuple[Diagnostic, ...]]:
    output, staged = stage.output, [file.path for file in patch.files]
    if {path for path, kind, _ in scan(stage.tree, seen=False) if kind != "folder"} != set(staged):
        raise NotPatched
    previous, generation = patch.rows.generation, os.urandom(8).hex()
    tree, linked = _completed(stage, patch, staged)
    sync_tree(tree)
    patch.rows.save(output, generation)
    journal = Journal(whole=True, tree=tree, ino=os.lstat(tree).st_ino)
    save_journal(output, journal)
    finish(output, journal, patch.rows.keys(), patch.rows.keys(), patch.times)
    _keep_old(stage, patch, journal, generation)
    findings = drop_stage(stage)
    changed = linked | set(staged)
    with contextlib.suppress(OSError):  # without stamps the next export reads the files
        _restamp(stage, patch, previous, generation, changed)
    return changed, findings


def _completed(stage: Stage, patch: Patch, staged: Sequence[str]) -> tuple[Path, Set[str]]:
    """The tree that takes the place of the output, and the paths of the files that were linked into it."""
    output, generation = stage.output, patch.rows.generation
    if (known := known_spare(output, generation)) and is_usable(stage, known.tree):
        return mend(stage, known, staged)
    spare = find_spare(output, generation)
    if spare and is_usable(stage, spare):
        rescue(output, spare, patch.rows.keys())
        live = list_tree(output.out)
        if live.files.keys() != patch.rows.keys():
            raise NotPatched
        return refresh(stage, spare, live, live.files.keys() - set(staged))
    kept = set(patch.rows) - set(staged)
    if not is_usable(stage, stage.tree) or not link_unchanged(stage, kept):
        raise NotPatched
    return stage.tree, kept


def _keep_old(stage: Stage, patch: Patch, journal: Journal, generation: str) -> None:
    """Make the tree that was swapped out the spare one."""
    tree = journal.tree
    if tree.is_dir() and os.lstat(tree).st_ino != journal.ino:
        with contextlib.suppress(OSError):  # then it is dropped with the stage
            keep_spare(stage.output, tree, generation, _NONE, _NONE)
            note_spare(stage.output, generation, [file.path for file in patch.files], patch.times)
            return
    drop_spare(stage.output)


def _restamp(stage: Stage, patch: Patch, previous: str, generation: str, changed: Set[str]) -> None:
    """Write the stamps of all files again, of which some are others."""
    output, rows = stage.output, patch.rows
    numbers = read_numbers(output.stamps, previous, len(rows))
    if len(changed) * 2 > len(rows) or not numbers:
        every = (Stamp.of(os.lstat(f"{output.out}/{path}")) for path in rows)
        save_stamps(output.stamps, generation, every)
        return
    for path in changed:
        place = rows.place(path) * STAMP
        for offset, number in enumerate(Stamp.of(os.lstat(f"{output.out}/{path}"))):
            numbers[place + offset] = number
    save_numbers(output.stamps, generation, numbers)
