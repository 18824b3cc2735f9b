"""From the stage to the output: refuse what is unsafe, then publish; and the way back, `clean`.

Owns the decision to publish. Knows no route and no page. Until the journal is written, nothing of the output has
changed and the stage can be dropped; from then on `journal` goes forward only.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pybuild.diagnostics import Diagnostic, warning
from pybuild.publish.checks import Plan, lost_bodies, obstructed, overwritten
from pybuild.publish.journal import Journal, finish, recover, remove, rescue, save_journal
from pybuild.publish.listing import Stamp, list_tree, parents_of, scan
from pybuild.publish.manifest import Output, load_manifest, save_rows, save_stamps
from pybuild.publish.os_errors import publish_error
from pybuild.publish.spare import drop_spare, find_spare, is_usable, keep_spare, note_spare, refresh
from pybuild.publish.stage import Stage, drop_container, fresh_tree, is_inner, list_output, make_folders
from pybuild.publish.syscalls import sync_tree
from pybuild.records import Files


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did, in files."""

    files: int  # of the site now
    written: int  # new or changed
    unchanged: int
    removed: int
    foreign: int  # found in the output and left alone


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What `clean` did, in files."""

    removed: int
    foreign: int  # left alone


def commit(
    stage: Stage, files: Files, *, adopt: bool = False, memo: Any = None
) -> tuple[Published | None, tuple[Diagnostic, ...]]:
    """Publish the staged files and remove what the last publication left behind.

    `files` is the whole new site by path; a path among them that is not staged is kept as published. `adopt` lets
    files be overwritten that no manifest lists; foreign files that are not in the way always stay. `memo`,
    a JSON value, becomes part of the manifest and is never read here.
    Findings: `unsafe-out`, `publish-error`. With None the output is as it was, or the finding says otherwise.
    Precondition: the lock is held; no worker writes to the stage any more.
    """
    try:
        # under a new name, a lost worker that wakes up, here or on another machine, finds no folder to write in
        tree = fresh_tree(stage.tree.parent)
        stage.tree.rename(tree)
        stage = replace(stage, tree=tree)
        return _commit(stage, files, adopt=adopt, memo=memo)
    except OSError as fault:
        needed = sum(file.size for file in files.values() if not stage.holds(file.path, file.digest))
        doing = "publish the site, the output is as it was"
        if stage.output.journal.exists():
            doing = "finish publishing the site, the next export will"
        return None, (publish_error(fault, doing, needed=needed),)


def _commit(
    stage: Stage, files: Files, *, adopt: bool, memo: Any
) -> tuple[Published | None, tuple[Diagnostic, ...]]:
    wanted = frozenset(files)
    kept = _drop_unwanted(stage, wanted)
    if spare := find_spare(stage.output, stage.previous.generation):
        rescue(stage.output, spare, stage.previous.rows.keys())
    plan = Plan(stage.output, list_output(stage.output, stage.tree), stage.previous.rows.keys(), wanted)
    findings = (*obstructed(plan), *lost_bodies(stage, files.values(), kept, plan.listing))
    if not adopt:
        findings += overwritten(plan, files.values())
    if findings:
        return None, findings
    linked, generation = _publish(stage, plan, _New(stage, files, kept, memo), spare)
    findings = drop_stage(stage)
    if linked is not None or stage.was_read:
        known = {path: plan.listing.files[path] for path in kept - (linked or set())}
        with contextlib.suppress(OSError):  # without stamps the next export reads the files
            stamps = (
                known.get(path) or Stamp.of(os.lstat(f"{stage.output.out}/{path}")) for path in sorted(files)
            )
            save_stamps(stage.output.stamps, generation, stamps)
    result = Published(
        files=len(files),
        written=len(files) - len(kept),
        unchanged=len(kept),
        removed=len(plan.stale),
        foreign=plan.foreign_files,
    )
    return result, findings


def _drop_unwanted(stage: Stage, wanted: Set[str]) -> Set[str]:
    """Remove what a lost worker staged and nobody asked for; return the wanted paths that are not staged."""
    kept = set(wanted)
    strange: list[str] = []
    folders: set[str] = set()
    for path, kind, _ in scan(stage.tree, seen=False):
        if kind == "folder":
            folders.add(path)
        elif kind == "file" and path not in wanted:
            strange.append(path)
        elif kind == "file":
            kept.discard(path)
    for path in strange:
        (stage.tree / path).unlink()
    for folder in sorted(folders - parents_of(wanted), reverse=True):
        (stage.tree / folder).rmdir()
    return kept


@dataclass(frozen=True, slots=True)
class _New:
    """The publication that is being made."""

    stage: Stage
    files: Files
    kept: Set[str]  # paths that are not staged
    memo: Any

    def save(self, file: Path, generation: str) -> None:
        """Write the manifest, sorted by path."""
        rows = (self.files[path] for path in sorted(self.files))
        save_rows(file, self.stage.output.key, rows, self.memo, generation)

    @property
    def is_known(self) -> bool:
        """Whether the manifest says the same already."""
        previous = self.stage.previous
        same = len(previous.rows) == len(self.files) and previous.memo == self.memo
        return same and all(previous.rows.get(path) == self.files[path] for path in self.files)


def _publish(stage: Stage, plan: Plan, new: _New, spare: Path | None) -> tuple[Set[str] | None, str]:
    """Complete the stage, bring it to the disk, set the commit point and go through with it.

    The kept files of which a link was made or removed, and the generation; None where no file changes. Then the output
    is not touched at all: what watches it or works in it goes on undisturbed.
    """
    output = stage.output
    if len(new.kept) == len(new.files) and not plan.stale and output.out.is_dir():
        if not new.is_known:
            new.save(output.manifest, stage.previous.generation)
        return None, stage.previous.generation
    tree, linked = _complete(stage, plan, new.kept, spare)
    sync_tree(tree)
    generation = os.urandom(8).hex()
    new.save(output.next_manifest, generation)
    ino = os.lstat(tree).st_ino
    save_journal(output, Journal(linked is not None, tree, ino))
    finish(output, Journal(linked is not None, tree, ino), plan.old, plan.wanted)
    if is_usable(stage, tree) and linked is not None and tree.is_dir() and os.lstat(tree).st_ino != ino:
        with contextlib.suppress(OSError):  # then it is dropped with the stage
            keep_spare(output, tree, generation, plan.stale, plan.wanted)
            if plan.old == plan.wanted:
                note_spare(output, generation, sorted(plan.wanted - new.kept), parents_of(plan.wanted))
            return linked, generation
    drop_spare(output)
    return new.kept, generation


def _complete(stage: Stage, plan: Plan, kept: Set[str], spare: Path | None) -> tuple[Path, Set[str] | None]:
    """The tree that may take the place of the output, and the kept files that were linked into it.

    None where files must be renamed one by one: foreign files live in the output, or the file system has no links.
    """
    if plan.foreign or is_inner(stage.output, stage.tree):
        return stage.tree, None
    if spare and is_usable(stage, spare):
        return refresh(stage, spare, plan.listing, kept)
    return stage.tree, (kept if link_unchanged(stage, kept) else None)


def link_unchanged(stage: Stage, paths: Set[str]) -> bool:
    """Link what need not be written into the stage; False where the file system has no links."""
    make_folders(stage.tree, parents_of(paths))
    try:
        for path in paths:
            os.link(f"{stage.output.out}/{path}", f"{stage.tree}/{path}", follow_symlinks=False)
    except OSError as fault:
        if fault.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT}:
            raise
        return False
    return True


def drop_stage(stage: Stage) -> tuple[Diagnostic, ...]:
    """Remove the stage, which by now holds the old site; that this failed does not undo the publication."""
    try:
        drop_container(stage.tree.parent)
    except OSError as fault:
        said = publish_error(fault, "remove the old output, which has been replaced")
        return (warning("publish-error", said.message, hint=said.hint),)
    return ()


def clean(output: Output) -> tuple[Cleaned | None, tuple[Diagnostic, ...]]:
    """Delete what the manifest lists, the folders that empties, and the state of the output.

    Foreign files stay. Findings: those of `recover`. Precondition: the lock is held.
    """
    findings = recover(output)
    if findings:
        return None, findings
    try:
        plan = Plan(output, list_tree(output.out), load_manifest(output).rows.keys(), frozenset())
        emptied = sorted(plan.listing.folders & parents_of(plan.old), reverse=True)
        remove(output.out, sorted(plan.stale), [*emptied, "."])
        output.manifest.unlink(missing_ok=True)
        for file in (output.stamps, output.spare_note):
            file.unlink(missing_ok=True)
        drop_spare(output)
        with contextlib.suppress(OSError):  # absent, or not empty
            output.state.rmdir()
    except OSError as fault:
        return None, (publish_error(fault, "clean the output"),)
    return Cleaned(len(plan.stale), plan.foreign_files), ()
