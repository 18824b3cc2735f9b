"""The engine that runs every task here, one after the other: for debuggers, profilers and small sites.

Owns the capture of printed text and a best effort at deadlines. It does not survive a task that ends the
process or swallows its deadline; `processes` does. Knows no route, page or finding.
Source of truth: pybuild/engines/base.py.
"""

from __future__ import annotations

import functools
import io
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from types import FrameType
from typing import Generic, TypeVar

from pybuild.engines.base import Cluster, Done, Expired, Failed, Program, R, T, seconds
from pybuild.engines.captured_output import CappedStream
from pybuild.engines.tracebacks import described, exit_words, raised_frames

A = TypeVar("A")


class SerialEngine(Generic[T, R]):
    """Runs tasks in this process, in order."""

    def __init__(self, program: Program[T, R], *, timeout: float) -> None:
        self._program = program
        self._timeout = timeout
        self._function: Callable[[T], R] | None = None
        self._refusal: Failed | None = None
        # One stream for all tasks: a logger made by the first still reaches it in the last.
        self._printed = CappedStream()
        self._stream = io.TextIOWrapper(self._printed, "utf-8", "backslashreplace", write_through=True)  # type: ignore[type-var]

    def run(
        self, tasks: Sequence[T], *, timeouts: Sequence[float] | None = None
    ) -> Iterator[Done[R] | Failed]:
        """Yield one outcome for each task, in the order of the tasks."""
        for index, task in enumerate(tasks):
            limit = self._timeout if timeouts is None else timeouts[index]
            yield self._outcome(index, task, limit)

    def _outcome(self, index: int, task: T, limit: float) -> Done[R] | Failed:
        if self._function is None and self._refusal is None:
            outcome = self._attempt(0, self._program.start, self._timeout)
            if isinstance(outcome, Done):
                self._function = outcome.value
            else:
                detail = f"the worker did not start: {outcome.detail}"
                self._refusal = replace(outcome, reason="lost", detail=detail)
        if self._refusal is not None:
            return replace(self._refusal, index=index)
        assert self._function is not None, "a program that did not start leaves its refusal"
        return self._attempt(index, functools.partial(self._function, task), limit)

    def _attempt(self, index: int, work: Callable[[], A], limit: float) -> Done[A] | Failed:
        try:
            with (
                redirect_stdout(self._stream),
                redirect_stderr(self._stream),
                _deadline(limit),
                _interrupts(),
            ):
                value = work()
        except Expired as late:
            frames = raised_frames(late)[1:-1]
            return Failed(index, "timeout", seconds(limit), self._printed.take(), frames)
        except _Raised as error:
            frames = raised_frames(error.cause)[1:]
            return Failed(index, "raised", "KeyboardInterrupt", self._printed.take(), frames)
        except SystemExit as stop:
            detail, words = exit_words(stop)
            return Failed(index, "exit", detail, self._printed.take() + words, raised_frames(stop)[1:])
        except (Exception, GeneratorExit) as error:
            return Failed(index, "raised", described(error), self._printed.take(), raised_frames(error)[1:])
        return Done(index, value, self._printed.take())


@contextmanager
def open_serial(
    program: Program[T, R], *, jobs: int, timeout: float, cluster: Cluster | None = None
) -> Iterator[SerialEngine[T, R]]:
    """Open the engine. `jobs` is of no use to it; `timeout` is in seconds."""
    yield SerialEngine(program, timeout=timeout)


class _Raised(Exception):
    """A task raised KeyboardInterrupt of its own accord."""

    def __init__(self, cause: KeyboardInterrupt) -> None:
        super().__init__()
        self.cause = cause


@contextmanager
def _interrupts() -> Iterator[None]:
    """Tell a KeyboardInterrupt that a task raises from one that the user sends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_sent = False
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal is_sent
        is_sent = True
        before = usual[signal.Signals(number)]
        if callable(before):
            before(number, frame)

    for number, before in usual.items():
        if callable(before):
            signal.signal(number, note)
    try:
        yield
    except KeyboardInterrupt as error:
        if is_sent:
            raise
        raise _Raised(error) from None
    finally:
        for number, before in usual.items():
            if callable(before):
                signal.signal(number, before)


@contextmanager
def _deadline(limit: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def expire(number: int, frame: FrameType | None) -> None:
        # A signal already on its way when the task ended must not hit its successor.
        if armed:
            raise Expired

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
