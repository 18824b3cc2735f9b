"""What the system said, for the author.

Owns the sentence for an `OSError` of publishing. Knows no phase. Source: errno(3).
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from pybuild.diagnostics import Diagnostic
from pybuild.publish.state import StateError

_HINTS = {
    errno.ENOSPC: "free some space and export again",
    errno.EDQUOT: "free some of your quota and export again",
    errno.EROFS: "choose a folder that can be written with --out",
    errno.EACCES: "let this user write there, or choose another folder with --out",
    errno.EPERM: "let this user write there, or choose another folder with --out",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and export again",
    errno.EIO: "check the disk, then export again",
    errno.ENOENT: "export again, and leave .pybuild/ and the output alone until it is done",
}
_HINT_STATE = "remove it and export again: pybuild makes what it needs there itself"


def publish_error(fault: OSError, doing: str, *, needed: int = 0) -> Diagnostic:
    """Turn what the system refused into a `publish-error`.

    `doing` completes "could not …"; `needed` is the size in bytes of what was to be written, if known.
    """
    place = os.fspath(fault.filename) if isinstance(fault.filename, (str, os.PathLike)) else ""
    said = fault.strerror or str(fault)
    message = f"could not {doing}: {said}" + (f": {place}" if place else "")
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        parts = [f"{needed} bytes needed"] if needed else []
        folder = next((p for p in Path(place).parents if p.is_dir()), None) if place else None
        with contextlib.suppress(OSError):  # the first fault is the one to tell
            free = os.statvfs(folder or "")
            parts.append(f"{free.f_bavail * free.f_frsize} bytes free")
        message += f" ({', '.join(parts)})" if parts else ""
    hint = _HINTS.get(fault.errno or 0, "remove the cause and export again")
    return Diagnostic("publish-error", message, hint=_HINT_STATE if isinstance(fault, StateError) else hint)
