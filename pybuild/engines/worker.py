"""One worker process as its supervisor sees it.

Owns the process, its pipes and its output file, and never waits for any of them for long: a stuck worker
cannot stop its supervisor. Knows no schedule and no deadline.
Source of truth: POSIX pipes, sessions and process groups; pybuild/engines/wire.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import signal
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.context import ForkContext, SpawnContext
from typing import Any

from pybuild.engines.base import Failed, Frame, Program
from pybuild.engines.captured_output import read_output, stem_output
from pybuild.engines.child import DUMP_SIGNAL, worker_main
from pybuild.engines.protocol import (
    STARTING,
    Batch,
    Descriptor,
    FrameReader,
    Row,
    Task,
    TaskSlot,
    WorkerPipes,
)
from pybuild.engines.tracebacks import dumped_frames

Context = ForkContext | SpawnContext

_CHUNK = 1 << 20  # bytes read at once
_DUMP_SECONDS = 0.2  # to wait for a stuck worker's stack
_EXIT_SECONDS = 1.0  # to wait for the end of a worker that closed its pipe


class Worker:
    """A worker_main worker and the tasks it owes an answer for."""

    def __init__(self, context: Context, program: Program[Any, Any], siblings: Sequence[Worker]) -> None:
        self.slot = TaskSlot(context.RawArray("d", 3))
        self.slot.publish(STARTING)
        self.pending: dict[int, bytes] = {}  # index → pickled task, in the order of sending
        self.has_answered = False  # since the last batch was sent
        self.heard = time.monotonic()  # when a batch was sent or a row came
        self._batch = (0, 0.0)  # the number of tasks in the last batch, and `slot.busy` before it
        self.is_cut_off = False  # it closed its side, most likely by dying
        self._inbox = FrameReader()
        self._unsent = memoryview(b"")
        self._output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `release`
        # Whoever empties it, both streams and whatever a task starts then write at its new end.
        fcntl.fcntl(self._output, fcntl.F_SETFL, os.O_APPEND)
        task_end, self.tasks = os.pipe()
        self.rows, row_end = os.pipe()
        ends = WorkerPipes(
            Descriptor(task_end), Descriptor(row_end), Descriptor(self._output.fileno()), self.slot
        )
        # what a forked worker must close; with it, a sibling's pipes would stay open after our death
        others = (self, *siblings) if isinstance(context, ForkContext) else ()
        foreign = tuple(number for worker in others for number in (worker.tasks, worker.rows))
        self._process = context.Process(target=worker_main, args=(program, ends, os.getpid(), foreign))
        self._process.start()
        for number in (task_end, row_end):
            os.close(number)
        for number in (self.tasks, self.rows):
            os.set_blocking(number, False)

    @property
    def is_sending(self) -> bool:
        return bool(self._unsent)

    @property
    def is_alive(self) -> bool:
        """Ask the system; who dies is not cut off while a process of its own holds the pipes."""
        return self._process.is_alive()

    @property
    def cost(self) -> tuple[int, float]:
        """The number of tasks in the last batch and the seconds spent on them so far."""
        count, before = self._batch
        return count, self.slot.busy - before

    def send(self, batch: Batch) -> None:
        """Hand over a batch. Precondition: nothing is pending."""
        self.pending = dict(batch[1])
        self.has_answered = False
        self.heard = time.monotonic()
        self._batch = (len(self.pending), self.slot.busy)
        self._unsent = memoryview(pickle.dumps(batch, pickle.HIGHEST_PROTOCOL))
        self.push()

    def push(self) -> None:
        """Write what fits into the pipe."""
        try:
            self._unsent = self._unsent[os.write(self.tasks, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.is_cut_off = True
            self._unsent = memoryview(b"")

    def pull(self) -> list[Row]:
        """Return the rows that arrived, at most about a mebibyte of them."""
        return self._open(self._read() or b"")

    def stem(self) -> None:
        """Keep the output of the running task from filling the disk."""
        stem_output(self._output.fileno())

    def dump(self) -> tuple[str, tuple[Frame, ...]]:
        """Ask where the worker is stuck; return what the task printed so far, and the stack if it answers."""
        before = read_output(self._output.fileno())
        size = self._size()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, DUMP_SIGNAL)
        until = time.monotonic() + _DUMP_SECONDS
        while time.monotonic() < until and not (self._size() > size and self._is_quiet()):
            time.sleep(0.005)
        return before, _task_frames(read_output(self._output.fileno()))

    def end(self) -> tuple[list[Row], Failed]:
        """Make sure that the worker and its whole group are gone, and give everything back.

        Returns the last rows, and how it ended as a failure of the task that was running then.
        """
        if self.is_cut_off:
            self._process.join(_EXIT_SECONDS)
        self.kill()
        self._process.join(_EXIT_SECONDS)
        rows: list[Row] = []
        while content := self._read():
            rows += self._open(content)
        output = read_output(self._output.fileno())
        ended = _ended(self.slot.read()[0], self._process.exitcode, output)
        self.release()
        return rows, ended

    def kill(self) -> None:
        """Kill the process and every process of its group."""
        self._process.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)

    def release(self) -> None:
        """Wait for the end and close what is held here. Precondition: the worker was killed."""
        self._process.join(_EXIT_SECONDS)
        if self._process.exitcode is not None:
            self._process.close()
        self._output.close()
        os.close(self.tasks)
        os.close(self.rows)

    def owed(self) -> list[Task]:
        """Take back the tasks without an answer, in the order of sending."""
        tasks = list(self.pending.items())
        self.pending = {}
        return tasks

    @property
    def _pid(self) -> int:
        pid = self._process.pid
        assert isinstance(pid, int), "a worker is started as it is made"
        return pid

    def _read(self) -> bytes | None:
        try:
            content = os.read(self.rows, _CHUNK)
        except BlockingIOError:
            return None
        self.is_cut_off = self.is_cut_off or not content
        return content

    def _open(self, content: bytes) -> list[Row]:
        rows = list(self._inbox.feed(content))
        if content:
            self.heard = time.monotonic()
        self.has_answered = self.has_answered or bool(rows)
        return [row for row in rows if self.pending.pop(row[0], None) is not None]

    def _size(self) -> int:
        return os.fstat(self._output.fileno()).st_size

    def _is_quiet(self) -> bool:
        size = self._size()
        time.sleep(0.005)
        return self._size() == size


def _ended(index: int, status: int | None, output: str) -> Failed:
    if status is not None and status < 0:
        names = {known.value: known.name for known in signal.Signals}
        name = names.get(-status, f"signal {-status}")
        return Failed(index, "signal", name, output, _task_frames(output))
    return Failed(index, "exit", f"exit status {status}", output)


def _task_frames(output: str) -> tuple[Frame, ...]:
    """Find the stack in a worker's output, without the levels below the task: a fork has this process's."""
    frames = dumped_frames(output)
    ours = [depth for depth, frame in enumerate(frames) if frame.file == worker_main.__code__.co_filename]
    return frames[ours[-1] + 1 :] if ours else frames
