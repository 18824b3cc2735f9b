"""The state folder: real folders of this user, and regular files in them.

Owns how everything in `.pybuild` is entered: no part of the way is a link, what is no regular file is neither read
nor waited for, and a file is replaced as a whole. A repository can carry a state that leads elsewhere. Knows no
meaning of a file.
Source: open(2) for O_NOFOLLOW, O_NONBLOCK and O_EXCL.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from pybuild.publish.syscalls import sync_folder

STATE = ".pybuild"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class StateError(OSError):
    """Something in the way that pybuild did not make."""


def check_folders(folder: Path) -> None:
    """Raise `OSError` where a folder of the state that leads to `folder` is a link, no folder, or another user's.

    A folder that is absent passes.
    """
    for part in _way(folder):
        try:
            seen = os.lstat(part)
        except FileNotFoundError:
            return
        if stat.S_ISLNK(seen.st_mode):
            raise StateError(errno.ELOOP, "a symbolic link is where pybuild keeps its state", str(part))
        if not stat.S_ISDIR(seen.st_mode):
            raise StateError(errno.ENOTDIR, "no folder is where pybuild keeps its state", str(part))
        if seen.st_uid not in {os.geteuid(), _way(folder)[0].parent.stat().st_uid}:
            raise StateError(errno.EPERM, "another user owns where pybuild keeps its state", str(part))


def make_folders(folder: Path) -> None:
    """Make a folder of the state and those that lead to it, for this user only. Raises `OSError` as `check_folders`."""
    for part in _way(folder):
        part.mkdir(0o700, exist_ok=True, parents=part == _way(folder)[0])
    check_folders(folder)


def _way(folder: Path) -> Sequence[Path]:
    """The folders from `.pybuild` to this one; this one alone where it lies elsewhere."""
    depth = next((n for n, part in enumerate((folder, *folder.parents), 1) if part.name == STATE), 1)
    return (folder, *folder.parents)[:depth][::-1]


def open_file(file: Path, flags: int = _READ, mode: int = 0o600) -> int:
    """Open a regular file of the state; the descriptor. Raises `OSError` for anything else, without waiting for it."""
    check_folders(file.parent)
    descriptor = os.open(file, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StateError(errno.EINVAL, "no regular file is where pybuild keeps its state", str(file))
    return descriptor


def read_file(file: Path) -> bytes:
    """The bytes of a file of the state. Raises `OSError`."""
    with os.fdopen(open_file(file), "rb") as stream:
        return stream.read()


def replace_file(file: Path, parts: Iterable[bytes]) -> None:
    """Write a file of the state whole or not at all, and on the disk when it returns. Raises `OSError`."""
    temporary = temporary_of(file)
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, _FRESH, 0o600), "wb") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as fault:
        fault.filename = fault.filename or str(temporary)  # a failed write does not say where
        raise
    temporary.replace(file)
    sync_folder(file.parent)


def temporary_of(file: Path) -> Path:
    """Where a file is written before it takes its place."""
    return file.with_name(file.name + ".tmp")


def fresh_file(file: Path) -> None:
    """Make an empty file of the state in the place of another. Raises `OSError`."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, _FRESH, 0o600))
