"""What the system says becomes one finding with an order to follow."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from pybuild.diagnostics import Diagnostic
from pybuild.publish import publish_error


def fault(code: int, place: Path | None = None) -> OSError:
    return OSError(code, os.strerror(code), place and str(place))


def test_a_fault_names_its_place(tmp_path: Path) -> None:
    message = f"could not write a.html: Input/output error: {tmp_path}/a.html"
    expected = Diagnostic("publish-error", message, hint="check the disk, then export again")
    assert publish_error(fault(errno.EIO, tmp_path / "a.html"), "write a.html") == expected


def test_a_full_disk_tells_the_space(tmp_path: Path) -> None:
    finding = publish_error(fault(errno.ENOSPC, tmp_path / "new/a"), "write a", needed=7)
    pattern = (
        rf"could not write a: No space left on device: {tmp_path}/new/a \(7 bytes needed, \d+ bytes free\)"
    )
    assert re.fullmatch(pattern, finding.message)
    assert finding.hint == "free some space and export again"


def test_a_fault_without_a_place_is_told_too() -> None:
    hint = "remove the cause and export again"
    assert publish_error(OSError("odd"), "write a") == Diagnostic(
        "publish-error", "could not write a: odd", hint=hint
    )
