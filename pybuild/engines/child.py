"""What happens inside a worker process: take batches, run tasks, answer in groups.

Owns the worker's streams, signals and session. Knows no deadline and no other worker; its supervisor
(pybuild/engines/worker.py) kills it at any moment.
Source of truth: Linux prctl(2) `PR_SET_PDEATHSIG`, setsid(2); the Python documentation of `faulthandler`.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import io
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from pybuild.engines.base import Failed, Program
from pybuild.engines.captured_output import take_output
from pybuild.engines.protocol import IDLE, UNDISTURBED, Batch, Row, WorkerPipes, pack_rows
from pybuild.engines.tracebacks import described, exit_words, raised_frames

DUMP_SIGNAL = signal.SIGUSR1  # makes the worker write its stack to its output
_FLUSH_SECONDS = 0.05
_FLUSH_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1


def worker_main(program: Program[Any, Any], ends: WorkerPipes, parent: int, foreign: tuple[int, ...]) -> None:
    """Be a worker until the tasks end. `foreign` are the supervisor's own descriptors that a fork copied."""
    for number in foreign:
        os.close(number)
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, UNDISTURBED)
    _leave_terminal(ends.output.number)
    die_with(parent)
    gc.freeze()  # what a fork shares with its parent stays shared as long as no collector counts it
    try:
        function = program.start()
    except BaseException:
        traceback.print_exc()
        _flush_streams()
        os._exit(1)
    _flush_streams()
    take_output(ends.output.number)
    ends.slot.publish(IDLE)
    desk = _Desk(function, ends)
    with os.fdopen(ends.tasks.number, "rb") as stream:
        while (batch := _next_batch(stream)) is not None:
            desk.work(batch)
    os._exit(0)


class _Desk:
    """Answers tasks and keeps the answers that were not sent yet."""

    def __init__(self, function: Callable[[Any], Any], ends: WorkerPipes) -> None:
        self._function = function
        self._ends = ends
        self._rows: list[Row] = []
        self._weight = 0  # bytes of pickled values in `_rows`
        self._flushed = time.monotonic()

    def work(self, batch: Batch) -> None:
        at_once, tasks = batch
        slot = self._ends.slot
        for index, payload in tasks:
            slot.publish(index)
            row = self._answer(index, payload)
            self._rows.append(row)
            self._weight += len(row[2])
            now = slot.rest()
            if at_once or self._weight > _FLUSH_BYTES or now - self._flushed > _FLUSH_SECONDS:
                self.flush()
        self.flush()

    def flush(self) -> None:
        if self._rows:
            view = memoryview(pack_rows(self._rows))
            try:
                while view:
                    view = view[os.write(self._ends.rows.number, view) :]
            except OSError:
                os._exit(1)
        self._rows = []
        self._weight = 0
        self._flushed = time.monotonic()

    def _answer(self, index: int, payload: bytes) -> Row:
        try:
            value = self._function(pickle.loads(payload))
        except SystemExit as stop:
            detail, words = exit_words(stop)
            return index, Failed(index, "exit", detail, self._printed() + words, raised_frames(stop)[1:]), ""
        except BaseException as error:
            frames = raised_frames(error)[1:]
            return index, Failed(index, "raised", described(error), self._printed(), frames), ""
        try:
            body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except BaseException as error:
            detail = f"the result cannot be sent: {described(error)}"
            return index, Failed(index, "lost", detail, self._printed()), ""
        self._weight += len(body)
        return index, body, self._printed()

    def _printed(self) -> str:
        _flush_streams()
        return take_output(self._ends.output.number)


def _next_batch(stream: BinaryIO) -> Batch | None:
    try:
        batch: Batch = pickle.load(stream)
    except EOFError:
        return None
    return batch


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A task may have put anything in their place.
        with contextlib.suppress(Exception):
            stream.flush()


def _leave_terminal(output: int) -> None:
    """Start a session of our own, read nothing, and write both streams to the output file."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number in (1, 2):
        os.dup2(output, number)
    sys.stdout = sys.__stdout__ = _line_writer(1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _line_writer(2)  # type: ignore[misc]
    faulthandler.enable(2)
    faulthandler.register(DUMP_SIGNAL, 2, all_threads=False, chain=False)


def _line_writer(number: int) -> io.TextIOWrapper:
    return open(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


def die_with(parent: int) -> None:
    """Let this process end with the thread of `parent` that made it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    # It may have died before the promise was made.
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)
