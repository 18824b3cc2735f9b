"""Dates of the last change of files, as git knows them.

Owns one `git log`. Refuses a shallow clone, where every file has the date of the newest commit.
Source: git-log(1), git-rev-parse(1) `--is-shallow-repository`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_PLAIN = (  # settings of a user or a checkout that would change the text, or start programs
    *("-c", "core.quotePath=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
)


@dataclass(frozen=True, slots=True)
class History:
    """What git says of a site's files. Paths are relative to the site."""

    changed: Mapping[str, datetime] = field(default_factory=dict)  # last commit, UTC
    added: Mapping[str, datetime] = field(default_factory=dict)  # first commit, UTC
    shallow: bool = False


def read_history(root: Path, folders: Iterable[str]) -> History:
    """Ask git for the commits of the files below `folders`. Empty without git or outside a checkout.

    Files with changes that are not committed have no date.
    """
    shallow = _git(root, "rev-parse", "--is-shallow-repository")
    if shallow is None or shallow.strip() == "true":
        return History(shallow=shallow is not None)
    paths = ["--", *folders]
    log = _git(root, "log", "--no-renames", "--relative", "--format=%x01%ct", "--name-only", "-z", *paths)
    dirty = _git(root, "ls-files", "--modified", "--others", "-z", *paths)
    if log is None or dirty is None:
        return History()
    uncommitted = set(dirty.split("\0"))
    changed: dict[str, datetime] = {}
    added: dict[str, datetime] = {}
    for commit in log.split("\x01")[1:]:
        stamp, _, names = commit.partition("\0")
        when = datetime.fromtimestamp(int(stamp.strip()), UTC)
        for name in names.split("\0"):
            path = name.strip("\n")
            if path and path not in uncommitted:
                changed.setdefault(path, when)
                added[path] = when
    return History(changed, added)


def are_dirty(root: Path, files: Iterable[str]) -> bool:
    """Whether files have changes that are not committed, so that git knows no date of them, or lie outside of git."""
    wanted = set(files)
    found = _git(root, "ls-files", "--modified", "--others", "-z", "--", *sorted(wanted))
    return found is None or wanted.issubset(found.split("\0"))


def _git(root: Path, *arguments: str) -> str | None:
    """The output of a git command, or None when there is no git or it refuses."""
    command = ["git", "--no-optional-locks", *_PLAIN, *arguments]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape")
