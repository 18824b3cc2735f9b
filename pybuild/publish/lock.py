"""One export of a site at a time.

Owns the lock file in the state folder. Knows no output. The kernel frees the lock when its holder ends,
however it ends, so there is no stale lock to remove. Source: flock(2). It holds within one host; over a
network disk it is as good as the disk's own flock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pybuild.publish.state as state
from pybuild.diagnostics import Diagnostic
from pybuild.publish.os_errors import publish_error

_POLL = 0.05  # seconds
_held: set[int] = set()


def _release_in_child() -> None:
    """Close inherited descriptors: a worker that outlives its killed parent must not keep the lock."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_release_in_child)


@contextlib.contextmanager
def exclusive(root: Path, *, wait: float = 10.0) -> Iterator[tuple[Diagnostic, ...]]:
    """Hold the lock of the site at `root`; yields `()` when it is held.

    After `wait` seconds it yields the finding `locked` instead; `publish-error` where no lock can be made.
    """
    file = root.resolve() / state.STATE / "lock"
    try:
        descriptor = _acquire(file, tries=1 + int(wait / _POLL))
    except OSError as fault:
        yield (publish_error(fault, "lock the site"),)
        return
    if descriptor is None:
        yield (_locked(file),)
        return
    _held.add(descriptor)
    try:
        yield ()
    finally:
        _held.discard(descriptor)
        with contextlib.suppress(OSError):  # a name left in a free lock harms nobody
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _acquire(file: Path, *, tries: int) -> int | None:
    """Try until the lock is ours, and still the one that others see: the state may be deleted at any time."""
    for attempt in range(tries):
        if attempt:
            time.sleep(_POLL)
        state.make_folders(file.parent)
        descriptor = state.open_file(file, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.lstat(file), os.fstat(descriptor)):
                # who holds the lock; the start is the file's own time
                lines = f"{os.uname().nodename}\n{os.getpid()}\n{_boot_id()}\n"
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, lines.encode(), 0)
                return descriptor
        except OSError as fault:
            if fault.errno not in {errno.EAGAIN, errno.EACCES, errno.ENOENT}:
                os.close(descriptor)
                raise
        os.close(descriptor)
    return None


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def _locked(file: Path) -> Diagnostic:
    """Name the holder as the lock file does."""
    host, pid, boot, since = "", "", "", ""
    with contextlib.suppress(OSError, ValueError):
        host, pid, boot = state.read_file(file).decode("utf-8").split("\n")[:3]
        since = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    here = host == os.uname().nodename and boot == _boot_id()
    holder = (
        f"process {pid}" + ("" if here else f" on {host}") + f", since {since}"
        if pid and since
        else "a process"
    )
    return Diagnostic(
        "locked",
        f"another export of this site is running: {holder}",
        hint=f"wait for it to end, or stop it{f' with: kill {pid}' if here else ''}, then export again",
    )
