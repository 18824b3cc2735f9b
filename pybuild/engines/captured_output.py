"""What a task prints, kept within bounds.

Owns the limit and the way a flood is cut: the head and the tail stay, the middle goes. Knows no task.
Source of truth: POSIX for `O_APPEND`, `ftruncate` and the record locks of `fcntl`.
"""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

LIMIT = 64 * 1024  # bytes of one task's output
_HALF = LIMIT // 2
_FLOOD = 16 * 1024 * 1024  # bytes on disk before a running task's output is cut
_GAP = b"\n[... output left out ...]\n"


class CappedStream(io.RawIOBase):
    """A stream in memory that keeps the first and the last 32 KiB written to it."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, written: Any, /) -> int:
        content = bytes(written)
        room = _HALF - len(self._head)
        self._head += content[:room]
        self._tail += content[room:]
        self._size += len(content)
        if len(self._tail) > 2 * LIMIT:
            del self._tail[:-_HALF]
        return len(content)

    def take(self) -> str:
        """Return what was written, its middle replaced by a mark where it was too much, and start anew."""
        gap, tail = (b"", self._tail) if self._size <= LIMIT else (_GAP, self._tail[-_HALF:])
        text = _decoded(self._head + gap + tail)
        self._head, self._tail, self._size = bytearray(), bytearray(), 0
        return text


def read_output(file: int) -> str:
    """Return the content of an output file, decoded and cut as `CappedStream` does."""
    size = os.fstat(file).st_size
    if size <= LIMIT:
        return _decoded(os.pread(file, LIMIT, 0))
    return _decoded(os.pread(file, _HALF, 0) + _GAP + os.pread(file, _HALF, size - _HALF))


def take_output(file: int) -> str:
    """Return the content of an output file and empty it."""
    if os.fstat(file).st_size == 0:
        return ""
    with _locked(file, fcntl.LOCK_EX):
        text = read_output(file)
        os.ftruncate(file, 0)
    return text


def stem_output(file: int) -> None:
    """Give back the disk of an output file that a running task floods; its head stays."""
    if os.fstat(file).st_size <= _FLOOD:
        return
    # Its writer may be emptying it: cut then, it would be filled with zeros.
    with suppress(BlockingIOError), _locked(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
        if os.fstat(file).st_size > _FLOOD:
            os.ftruncate(file, LIMIT + 1)


@contextmanager
def _locked(file: int, operation: int) -> Iterator[None]:
    fcntl.lockf(file, operation)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN)


def _decoded(content: bytes | bytearray) -> str:
    return content.decode("utf-8", "replace")
