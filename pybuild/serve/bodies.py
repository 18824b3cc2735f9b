"""The bytes of published files, read so that nothing but them can be read.

Owns the opening of files below an output. A symlink on the way, or a file that is not what was published, is
not opened. Knows no request.
"""

from __future__ import annotations

import hashlib
import os
import stat
from io import FileIO
from pathlib import Path

from pybuild.artifact import File

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Stale(Exception):
    """A file is not what the manifest says: it was changed by hand, or another export is just coming in."""


def open_file(out: Path, file: File) -> FileIO:
    """Open a published file below `out`, following no symlink. Raises `Stale`."""
    *folders, name = file.path.split("/")
    try:
        at = os.open(out, _FOLDER)
        for folder in folders:
            at = _step(at, folder, _FOLDER)
        at = _step(at, name, _REGULAR)
    except OSError as fault:
        raise Stale(file.path) from fault
    seen = os.fstat(at)
    if not stat.S_ISREG(seen.st_mode) or seen.st_size != file.size:
        os.close(at)
        raise Stale(file.path)
    return FileIO(at)


def _step(folder: int, name: str, flags: int) -> int:
    """Open `name` in an open folder and close that."""
    try:
        return os.open(name, flags, dir_fd=folder)
    finally:
        os.close(folder)


def read_file(out: Path, file: File) -> bytes:
    """The bytes of a published file. Raises `Stale` where they are others than were published."""
    with open_file(out, file) as stream:
        body = stream.read(file.size + 1)
    if hashlib.sha256(body).hexdigest() != file.digest:
        raise Stale(file.path)
    return body
