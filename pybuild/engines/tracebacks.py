"""Stacks of tasks that were stopped: from a traceback, or from what faulthandler wrote.

Owns the way from either to `Frame`s. Knows no engine.
Source of truth: the Python documentation of `faulthandler`, "Dumping the traceback".
"""

from __future__ import annotations

import re
import traceback

from pybuild.engines.base import Frame

_HEADING = "(most recent call first):\n"
_LINE = re.compile(r'  File "(.*)", line (\d+) in (.*)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def raised_frames(error: BaseException) -> tuple[Frame, ...]:
    """Name the frames an exception passed through, innermost last."""
    walked = traceback.walk_tb(error.__traceback__)
    return tuple(Frame(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in walked)


def dumped_frames(text: str) -> tuple[Frame, ...]:
    """Read the last stack in `text` as faulthandler prints it; innermost last, empty when there is none."""
    _, found, stack = text.rpartition(_HEADING)
    frames: list[Frame] = []
    for line in stack.splitlines() if found else ():
        match = _LINE.fullmatch(line)
        if match is None:
            break
        frames.append(Frame(_unescape(match[1]), int(match[2]), _unescape(match[3])))
    return tuple(reversed(frames))


def described(error: BaseException) -> str:
    """Say an exception in one line: `ValueError: text`."""
    return traceback.format_exception_only(error)[-1].strip()


def exit_words(stop: SystemExit) -> tuple[str, str]:
    """Say how `sys.exit` was called: the detail, and the text Python would have printed."""
    code = stop.code
    if code is None or isinstance(code, int):
        return f"exit status {int(code or 0)}", ""
    return "exit status 1", f"{code}\n"


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1] or match[2] or match[3], 16)), text)
