"""The commit point, and the one way from it: forward.

Owns the journal, the swap, the per-file renames, the deletions and their recovery. Knows no page. Every step
can be cut off and taken up again by the next command, which tells from the disk what has been done.

A whole stage takes the place of the output in one step. Where that cannot be done, or where foreign files
live in the output, the changed files are renamed into it one by one. Source: renameat2(2).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from pybuild.diagnostics import Diagnostic
from pybuild.publish.checks import Plan, obstructed
from pybuild.publish.listing import list_tree, names_changed, parents_of, place_order, split_stale
from pybuild.publish.manifest import FOLDER_MODE, Output, load_manifest, read_rows, write_json
from pybuild.publish.os_errors import publish_error
from pybuild.publish.stage import containers, drop_container, list_output, make_folders, open_to_all, tree_in
from pybuild.publish.state import StateError, check_folders, read_file
from pybuild.publish.syscalls import NO_EXCHANGE, exchange, sync_folder, sync_tree


@dataclass(frozen=True, slots=True)
class Journal:
    """The commit point: that a stage is to be published, and how."""

    whole: bool  # the stage holds every file and may take the place of the output
    tree: Path
    ino: int  # of the stage; tells after a crash whether the swap has happened


def save_journal(output: Output, journal: Journal) -> None:
    """Write the commit point. The stage is named by its place, so that a moved site still finds it."""
    place = containers(output).index(journal.tree.parent)
    row = {"whole": journal.whole, "place": place, "tree": journal.tree.name, "ino": journal.ino}
    write_json(output.journal, row)


def _read_journal(output: Output) -> Journal | None:
    """Read the commit point; None where there is none or it cannot be trusted."""
    try:
        match json.loads(read_file(output.journal)):
            case {"whole": bool(whole), "place": 0 | 1 | 2 as place, "tree": str(tree), "ino": int(ino)}:
                found = tree_in(containers(output)[place], tree)
                return Journal(whole, found, ino) if found else None
    except (FileNotFoundError, StateError, ValueError, RecursionError):
        pass
    return None


def finish(
    output: Output, journal: Journal, old: Set[str], wanted: Set[str], times: Mapping[str, int] | None = None
) -> None:
    """Go from the journal to the new manifest, from wherever an earlier attempt was cut off.

    `times` are those of `TreeStamps` of the whole old output: where they hold, nobody has put anything into it.
    """
    if _is_waiting(journal) and not (journal.whole and _swap(output, journal.tree)):
        _place(output, journal.tree, old, wanted)
    elif journal.whole and not _are_same(journal.tree, times):
        rescue(output, journal.tree, old | wanted)
    output.next_manifest.replace(output.manifest)
    sync_folder(output.state)
    output.journal.unlink()


def _is_waiting(journal: Journal) -> bool:
    """Whether the stage is still where it was made, that is, not swapped in."""
    try:
        seen = os.lstat(journal.tree)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_ino == journal.ino


def _are_same(tree: Path, times: Mapping[str, int] | None) -> bool:
    """Whether no name in a tree came or went since its stamps were taken."""
    try:
        return times is not None and all(names_changed(tree, folder) == n for folder, n in times.items())
    except OSError:
        return False


def _swap(output: Output, tree: Path) -> bool:
    """Put the whole stage in the place of the output; False where only per-file renames can do it."""
    try:
        if output.out.is_dir():
            exchange(tree, output.out)
        else:
            output.out.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            tree.rename(output.out)
    except OSError as fault:
        if fault.errno in NO_EXCHANGE:
            return False
        raise
    return True


def rescue(output: Output, tree: Path, ours: Set[str]) -> None:
    """Carry over what someone put into an old output: in the moment before the swap, or later from within it."""
    left = list_tree(tree, seen=False)
    foreign = left.foreign(ours)
    make_folders(output.out, parents_of(foreign) | {path for path in foreign if path in left.folders})
    for path in foreign:
        if path in left.folders:
            continue
        if os.path.lexists(output.out / path):
            said = "this file came while publishing; move it away"
            raise FileExistsError(errno.EEXIST, said, str(tree / path))
        (tree / path).rename(output.out / path)
    for folder in (output.out.parent, tree.parent):
        if folder.is_dir():
            sync_folder(folder)


def _place(output: Output, tree: Path, old: Set[str], wanted: Set[str]) -> None:
    """Rename the staged files into the output one by one, and remove what is stale."""
    out = output.out
    if not out.is_dir():
        out.mkdir(FOLDER_MODE, parents=True)
        open_to_all(out)
    listing = list_output(output, tree)
    first, rest = split_stale(listing, old, wanted)
    emptied = sorted(listing.folders & (parents_of(old) - parents_of(wanted)), reverse=True)
    remove(out, first, emptied)
    staged = list_tree(tree).files.keys() & wanted
    make_folders(out, parents_of(staged))
    for path in place_order(staged):
        (tree / path).replace(out / path)
    remove(out, rest, emptied)
    sync_tree(out)


def remove(out: Path, files: Sequence[str], folders: Sequence[str]) -> None:
    """Remove files, then those of the folders that are empty; `folders` has the deepest first."""
    for path in files:
        (out / path).unlink(missing_ok=True)
    for folder in folders:
        with contextlib.suppress(OSError):  # not empty: something foreign lives there
            (out / folder).rmdir()


def recover(output: Output) -> tuple[Diagnostic, ...]:
    """Finish a publication that was cut off, or drop its stage. Findings: `unsafe-out`, `publish-error`.

    Run it under the lock at the start of every command that publishes or cleans.
    """
    try:
        check_folders(output.state)
        journal = _read_journal(output)
        if journal is not None:
            findings = _resume(output, journal)
            if findings:
                return findings
        for file in output.passing:
            file.unlink(missing_ok=True)
        for container in containers(output):
            drop_container(container)
    except OSError as fault:
        return (publish_error(fault, "finish the last publication"),)
    return ()


def _resume(output: Output, journal: Journal) -> tuple[Diagnostic, ...]:
    """Take up the journal again, seeing that the output may have changed since."""
    new = read_rows(output.next_manifest, output.key)
    if new is None:
        return ()  # it has become the manifest, the last step but one
    old, wanted = load_manifest(output).rows.keys(), new.rows.keys()
    if _is_waiting(journal):
        plan = Plan(output, list_output(output, journal.tree), old, wanted)
        findings = obstructed(plan)
        if findings:
            return findings
        journal = replace(journal, whole=journal.whole and not plan.foreign)
    finish(output, journal, old, wanted)
    return ()
