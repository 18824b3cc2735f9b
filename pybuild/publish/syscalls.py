"""What Python's `os` does not offer: swap two folders, sync a file system, sync a folder, name a mount.

Owns the calls into the C library and what to do where they are missing. Knows no output and no manifest.
Sources: Linux man-pages renameat2(2), syncfs(2), proc_pid_fdinfo(5); macOS renamex_np(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_RENAMEAT2_CALLS = {"x86_64": 316, "aarch64": 276, "riscv64": 276}  # for a C library without the wrapper

# What a file system, a mount or a permission answers to a swap that per-file renames can still do.
NO_EXCHANGE = frozenset(
    {
        errno.EXDEV,
        errno.EBUSY,
        errno.EINVAL,
        errno.ENOSYS,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
        errno.EPERM,
        errno.EACCES,
    }
)


def exchange(first: Path, second: Path) -> None:
    """Swap two existing paths in one step. Raises `OSError`, with `ENOSYS` where the system cannot."""
    a, b = os.fsencode(first), os.fsencode(second)
    ctypes.set_errno(0)
    if hasattr(_LIBC, "renameat2"):
        failed = _LIBC.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE)
    elif hasattr(_LIBC, "renamex_np"):
        failed = _LIBC.renamex_np(a, b, _RENAME_SWAP)
    elif os.uname().sysname == "Linux" and os.uname().machine in _RENAMEAT2_CALLS:
        call = _RENAMEAT2_CALLS[os.uname().machine]
        failed = _LIBC.syscall(call, _AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE)
    else:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(first), None, str(second))
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(first), None, str(second))


def sync_tree(folder: Path) -> None:
    """Bring all that was written to the file system of `folder` to the disk: one barrier for many files."""
    if not hasattr(_LIBC, "syncfs"):
        os.sync()
        return
    with _opened(folder) as descriptor:
        if _LIBC.syncfs(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))


def sync_folder(folder: Path) -> None:
    """Bring the names in one folder to the disk."""
    with _opened(folder) as descriptor:
        try:
            os.fsync(descriptor)
        except OSError as fault:
            if fault.errno not in {errno.EINVAL, errno.ENOTSUP}:  # file systems that cannot sync a folder
                raise


def mount_of(folder: Path) -> tuple[int, str]:
    """Tell the mount that holds an existing folder; a rename works only within one mount.

    The device alone does not tell: two bind mounts of one disk share it and still refuse a rename.
    """
    with _opened(folder) as descriptor:
        device = os.fstat(descriptor).st_dev
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii").splitlines()
            return device, next((line for line in lines if line.startswith("mnt_id:")), "")
    return device, ""


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
