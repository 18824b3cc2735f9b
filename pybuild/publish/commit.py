"""From the stage to the output: refuse what is unsafe, then publish; and the way back, `clean`.

Owns the decision to publish. Knows no route and no page. Until the journal stands, nothing of the output has
changed and the stage can be dropped; from then on `journal` goes forward only.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from pybuild.artifact import File
from pybuild.diagnostics import Diagnostic, warning
from pybuild.publish.faults import publish_error
from pybuild.publish.journal import Journal, finish, recover, remove, save_journal
from pybuild.publish.kernel import sync_tree
from pybuild.publish.manifest import Output, Previous, Row, load_manifest, save_rows
from pybuild.publish.refuse import Plan, lost_bodies, obstructed, overwritten
from pybuild.publish.stage import Stage, drop_container, is_inner, list_output, make_folders
from pybuild.publish.tree import Listing, list_tree, parents_of


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
    stage: Stage, files: Sequence[File], *, adopt: bool = False, memo: Any = None
) -> tuple[Published | None, tuple[Diagnostic, ...]]:
    """Publish the staged files and remove what the last publication left behind.

    `files` is the whole new site; a path among them that is not staged is kept as published. `adopt` lets
    files be overwritten that no manifest lists; foreign files that are not in the way always stay. `memo`,
    a JSON value, becomes part of the manifest and is never read here.
    Findings: `unsafe-out`, `publish-error`. With None the output is as it was, or the finding says otherwise.
    Precondition: the lock is held; no worker writes to the stage any more.
    """
    try:
        return _commit(stage, sorted(files, key=lambda file: file.path), adopt=adopt, memo=memo)
    except OSError as fault:
        needed = sum(file.size for file in files if not stage.holds(file.path, file.digest))
        return None, (_failure(stage.output, fault, needed),)


def _commit(
    stage: Stage, files: Sequence[File], *, adopt: bool, memo: Any
) -> tuple[Published | None, tuple[Diagnostic, ...]]:
    wanted = {file.path for file in files}
    staged = _settle(stage, wanted)
    plan = Plan(stage.output, list_output(stage.output, stage.tree), stage.rows.keys(), wanted)
    findings = (*obstructed(plan), *lost_bodies(stage, files, staged, plan.listing))
    if not adopt:
        findings += overwritten(plan, files)
    if findings:
        return None, findings
    rows = {file.path: _row(file, stage, staged) for file in files}
    _publish(stage, plan, Previous(rows, memo), staged)
    result = Published(
        files=len(files),
        written=len(staged.files),
        unchanged=len(files) - len(staged.files),
        removed=len(plan.stale),
        foreign=plan.foreign_files,
    )
    return result, _drop(stage)


def _failure(output: Output, fault: OSError, needed: int) -> Diagnostic:
    """Say what failed, and whether the output has changed."""
    if not output.journal.exists():
        return publish_error(fault, "publish the site, the output is as it was", needed=needed)
    return publish_error(fault, "finish publishing the site, the next export will", needed=needed)


def _settle(stage: Stage, wanted: Set[str]) -> Listing:
    """List the stage, less what a lost worker left there and nobody asked for."""
    listing = list_tree(stage.tree)
    for path in listing.files.keys() - wanted:
        (stage.tree / path).unlink()
    for folder in sorted(listing.folders - parents_of(wanted), reverse=True):
        (stage.tree / folder).rmdir()
    return Listing({path: seen for path, seen in listing.files.items() if path in wanted})


def _row(file: File, stage: Stage, staged: Listing) -> Row:
    seen = staged.files.get(file.path)
    if seen is not None:
        return Row(file, seen.st_mtime_ns, seen.st_ino)
    known = stage.rows[file.path]
    return known if known.file == file else Row(file, known.mtime_ns, known.ino)


def _publish(stage: Stage, plan: Plan, new: Previous, staged: Listing) -> None:
    """Complete the stage, bring it to the disk, set the commit point and go through with it.

    Where no file changes, the output is not touched at all: what watches or stands in it goes on undisturbed.
    """
    output = stage.output
    if not staged.files and not plan.stale and output.out.is_dir():
        if new != Previous(stage.rows, stage.memo):
            save_rows(output.manifest, output.key, list(new.rows.values()), new.memo)
        return
    whole = not plan.foreign and not is_inner(output, stage.tree)
    whole = whole and _link_unchanged(stage, plan.wanted - staged.files.keys())
    sync_tree(stage.tree)
    save_rows(output.next_manifest, output.key, list(new.rows.values()), new.memo)
    journal = Journal(whole, stage.tree, os.lstat(stage.tree).st_ino)
    save_journal(output, journal)
    finish(output, journal, plan.old, plan.wanted)


def _link_unchanged(stage: Stage, paths: Set[str]) -> bool:
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


def _drop(stage: Stage) -> tuple[Diagnostic, ...]:
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
        with contextlib.suppress(OSError):  # absent, or not empty
            output.state.rmdir()
    except OSError as fault:
        return None, (publish_error(fault, "clean the output"),)
    return Cleaned(len(plan.stale), plan.foreign_files), ()
