"""The engine that runs every task here, one after the other: for debuggers, profilers and small sites.

Owns the capture of printed text and a best effort at deadlines. It does not survive a task that ends the
process or swallows its deadline; `processes` does. Knows no route, page or finding.
Source of truth: pybuild/engines/base.py.
"""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Generic

from pybuild.engines.base import Done, Failed, Program, R, T
from pybuild.engines.output import CappedStream
from pybuild.engines.stacks import described, exit_words, raised_frames


class _Expired(BaseException):
    """Raised inside a task that ran past its deadline."""


class SerialEngine(Generic[T, R]):
    """Runs tasks in this process, in order."""

    def __init__(self, program: Program[T, R], *, timeout: float) -> None:
        self._program = program
        self._timeout = timeout
        self._function: Callable[[T], R] | None = None
        self._refusal: Failed | None = None

    def run(
        self, tasks: Sequence[T], *, timeouts: Sequence[float] | None = None
    ) -> Iterator[Done[R] | Failed]:
        """Yield one outcome for each task, in the order of the tasks."""
        for index, task in enumerate(tasks):
            limit = self._timeout if timeouts is None else timeouts[index]
            yield self._outcome(index, task, limit)

    def _outcome(self, index: int, task: T, limit: float) -> Done[R] | Failed:
        if self._function is None and self._refusal is None:
            self._start()
        function = self._function
        if function is None:
            assert self._refusal is not None, "a program that did not start leaves its refusal"
            return Failed(index, "lost", self._refusal.detail, self._refusal.output, self._refusal.frames)
        return _attempt(index, functools.partial(function, task), limit)

    def _start(self) -> None:
        outcome = _attempt(0, self._program.start, self._timeout)
        if isinstance(outcome, Done):
            self._function = outcome.value
        else:
            detail = f"the worker did not start: {outcome.detail}"
            self._refusal = Failed(0, "lost", detail, outcome.output, outcome.frames)


@contextlib.contextmanager
def open_serial(program: Program[T, R], *, jobs: int, timeout: float) -> Iterator[SerialEngine[T, R]]:
    """Open the engine. `jobs` is of no use to it; `timeout` is in seconds."""
    yield SerialEngine(program, timeout=timeout)


def _attempt(index: int, work: Callable[[], R], limit: float) -> Done[R] | Failed:
    printed = CappedStream()
    try:
        with _captured(printed), _deadline(limit):
            value = work()
    except _Expired as late:
        return Failed(index, "timeout", f"{limit:g} seconds", printed.text(), raised_frames(late)[1:-1])
    except SystemExit as stop:
        detail, words = exit_words(stop)
        return Failed(index, "exit", detail, printed.text() + words, raised_frames(stop)[1:])
    except Exception as error:
        return Failed(index, "raised", described(error), printed.text(), raised_frames(error)[1:])
    return Done(index, value, printed.text())


@contextlib.contextmanager
def _captured(printed: CappedStream) -> Iterator[None]:
    stream = io.TextIOWrapper(printed, "utf-8", "backslashreplace", write_through=True)  # type: ignore[type-var]
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield
    stream.detach()


@contextlib.contextmanager
def _deadline(limit: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def expire(number: int, frame: FrameType | None) -> None:
        # A signal already on its way when the task ended must not hit its successor.
        if armed:
            raise _Expired

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
