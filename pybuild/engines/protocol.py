"""What a worker and its supervisor share: two pipes, an output file, and a slot of memory.

Owns the form of messages and of the slot. Knows neither side's conduct.
Source of truth: the Python documentation of `multiprocessing` for what may cross a fork or a spawn.
"""

from __future__ import annotations

import pickle
import signal
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from typing import Any

from pybuild.engines.base import Failed

IDLE = -1  # the worker waits for a batch, or writes rows
STARTING = -2  # the worker runs `Program.start`
UNDISTURBED = (signal.SIGINT, signal.SIGTERM)  # held back while workers are made or ended

Task = tuple[int, bytes]  # index, pickled task
Row = tuple[int, bytes | Failed, str]  # index, pickled value or what went wrong, output
Batch = tuple[bool, list[Task]]  # True: answer each task at once instead of in groups

_LENGTH = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class TaskSlot:
    """The index of the running task and when it began, readable after the worker's sudden death."""

    cells: Any  # three shared C doubles: index, its beginning, seconds spent on tasks so far

    def publish(self, index: int) -> None:
        # The time first: whoever sees the new index then never sees the older task's time.
        self.cells[1] = time.monotonic()
        self.cells[0] = index

    def rest(self) -> float:
        """End the running task; return the time in monotonic seconds."""
        now = time.monotonic()
        self.cells[0] = IDLE
        self.cells[2] += now - self.cells[1]
        return now

    @property
    def busy(self) -> float:
        return float(self.cells[2])

    def read(self) -> tuple[int, float]:
        """Return the index (or `IDLE`, `STARTING`) and its beginning in monotonic seconds."""
        return int(self.cells[0]), float(self.cells[1])


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An open file that goes along into the worker, be it forked or spawned."""

    number: int

    def __reduce__(self) -> tuple[Callable[[Any], Descriptor], tuple[Any]]:
        return _arrived, (DupFd(self.number),)


def _arrived(duplicate: Any) -> Descriptor:
    return Descriptor(duplicate.detach())


@dataclass(frozen=True, slots=True)
class WorkerPipes:
    """A worker's side of everything shared."""

    tasks: Descriptor  # read: pickled batches
    rows: Descriptor  # written: framed groups of rows
    output: Descriptor  # appended to by both standard streams
    slot: TaskSlot


def pack_rows(rows: list[Row]) -> bytes:
    body = pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Bytes on their way to becoming rows. What a killed worker left half written stays inside."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, content: bytes) -> Iterator[Row]:
        self._buffer += content
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield from pickle.loads(body)
