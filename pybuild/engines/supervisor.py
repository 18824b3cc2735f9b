"""The engine that runs tasks in supervised processes of its own.

Owns deadlines, the blame for a dead worker, and its replacement: a task that hangs, exits or crashes fails
alone, and the tasks that shared its worker run elsewhere. Knows no route, page or finding.
Open and run it from one thread that outlives it: the kernel ties a worker's life to the thread that made it.
Source of truth: pybuild/engines/base.py.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic, Literal

from pybuild.engines.base import Cluster, Done, Failed, Program, R, T, seconds
from pybuild.engines.batches import Batches
from pybuild.engines.protocol import IDLE, STARTING, UNDISTURBED, Row, Task
from pybuild.engines.tracebacks import described
from pybuild.engines.worker import Context, Worker

_TICK = 0.1  # seconds between two looks at the deadlines
_STARTS = 2  # failed starts in a row before the engine gives up

Outcome = Done[Any] | Failed
Method = Literal["fork", "spawn"]


class ProcessEngine(Generic[T, R]):
    """Runs tasks in at most `jobs` worker processes, made when there is work for them."""

    def __init__(
        self, program: Program[T, R], *, jobs: int, timeout: float, method: Method | None = None
    ) -> None:
        self._program = program
        self._jobs = jobs
        self._timeout = timeout
        # A fork shares what is loaded, but elsewhere than on Linux, or beside other threads, it is not safe.
        is_safe = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
        self.method = method or ("fork" if is_safe else "spawn")
        self._context = _context(self.method)
        self._workers: list[Worker] = []
        self._failed_starts = 0
        self._refusal: Failed | None = None  # why no worker starts
        self._looked = 0.0  # when it was last asked of all workers whether they live and are in time
        self._suspects: set[int] = set()  # first in line when a worker died without a running task

    @property
    def busy(self) -> float:
        """The seconds that workers have spent on tasks; the time of those that died is not counted."""
        return sum(worker.slot.busy for worker in self._workers)

    def run(
        self, tasks: Sequence[T], *, timeouts: Sequence[float] | None = None
    ) -> Iterator[Done[R] | Failed]:
        """Yield one outcome for each task, in the order in which they arrive."""
        batches = Batches(tasks, self._jobs)
        self._suspects.clear()
        try:
            while batches or any(worker.pending for worker in self._workers):
                yield from self._step(batches, timeouts)
        finally:
            # Whoever stops listening must not meet these tasks' answers in the next run.
            self._dismiss([worker for worker in self._workers if worker.pending])

    def close(self) -> None:
        """Leave no process behind."""
        self._dismiss(list(self._workers))

    def _step(self, batches: Batches, timeouts: Sequence[float] | None) -> list[Outcome]:
        if self._refusal is not None:
            for worker in self._workers:
                batches.give_back(worker.owed())
            self._dismiss(list(self._workers))
            return [replace(self._refusal, index=index) for index in batches.rest()]
        self._feed(batches)
        is_quiet = not self._wait()
        looks = is_quiet or time.monotonic() - self._looked >= _TICK  # rows come far more often
        if looks:
            self._looked = time.monotonic()
        outcomes: list[Outcome] = []
        for worker in list(self._workers):
            if worker.is_sending:
                worker.push()
            rows = worker.pull()
            if rows and not worker.pending:
                batches.learn(*worker.cost)
            outcomes += [_outcome(row) for row in rows]
            if worker.is_cut_off or (looks and not worker.is_alive):
                outcomes += self._reap(worker, batches)
            elif looks:
                outcomes += self._watch(worker, batches, timeouts)
        outcomes += batches.refused
        batches.refused = []
        return outcomes

    def _feed(self, batches: Batches) -> None:
        for worker in self._workers:
            if not worker.pending and (batch := batches.take()):
                worker.send(batch)
        while len(self._workers) < self._jobs and (batch := batches.take()):
            with _undisturbed():
                self._workers.append(Worker(self._context, self._program, self._workers))
            self._workers[-1].send(batch)

    def _wait(self) -> bool:
        """Wait for a worker, or for the next look at all; return whether one has something for us."""
        if not self._workers:
            return False
        poll = select.poll()
        for worker in self._workers:
            poll.register(worker.rows, select.POLLIN)
            if worker.is_sending:
                poll.register(worker.tasks, select.POLLOUT)
        return bool(poll.poll(_TICK * 1000))

    def _watch(self, worker: Worker, batches: Batches, timeouts: Sequence[float] | None) -> list[Outcome]:
        """Stop a worker whose task, start or silence is past its deadline."""
        worker.stem()
        index, since = worker.slot.read()
        limit = self._timeout if timeouts is None or index < 0 else timeouts[index]
        begun = worker.heard if index == IDLE else since
        if not worker.pending or time.monotonic() - begun <= limit:
            return []
        if worker.slot.read()[0] != index:
            return []
        detail = f"no answer for {seconds(limit)}" if index == IDLE else seconds(limit)
        return self._reap(worker, batches, Failed(index, "timeout", detail, *worker.dump()))

    def _reap(self, worker: Worker, batches: Batches, stopped: Failed | None = None) -> list[Outcome]:
        """Blame the task that was running; give back those that only shared its worker."""
        with _undisturbed():
            rows, ended = worker.end()
            self._workers.remove(worker)
        late = stopped.index if stopped else None
        outcomes = [_outcome(row) for row in rows if row[0] != late]
        owed = worker.owed()
        culprit = self._blame(stopped or ended, owed, has_answered=worker.has_answered)
        if culprit is not None:
            outcomes.append(culprit)
            owed = [task for task in owed if task[0] != culprit.index]
        batches.give_back(owed)
        return outcomes

    def _blame(self, ended: Failed, owed: list[Task], *, has_answered: bool) -> Failed | None:
        if ended.index == STARTING:
            self._failed_starts += 1
            if self._failed_starts == _STARTS or ended.reason == "timeout":
                detail = f"the worker did not start: {ended.detail}"
                self._refusal = replace(ended, reason="lost", detail=detail)
            return None
        self._failed_starts = 0
        if ended.index != IDLE:
            return ended
        # Nothing was running. The next in line is blamed only if it happens to the same task twice.
        if has_answered or not owed:
            return None
        index, _ = owed[0]
        if index not in self._suspects:
            self._suspects.add(index)
            return None
        return replace(ended, index=index, reason="lost", detail=f"its worker was lost twice: {ended.detail}")

    def _dismiss(self, workers: list[Worker]) -> None:
        with _undisturbed():
            for worker in workers:
                worker.kill()
            for worker in workers:
                worker.release()
                self._workers.remove(worker)


@contextlib.contextmanager
def open_processes(
    program: Program[T, R], *, jobs: int, timeout: float, cluster: Cluster | None = None
) -> Iterator[ProcessEngine[T, R]]:
    """Open the engine for at most `jobs` workers; `timeout` is in seconds. Closing kills what still runs."""
    # what our caller closed of the standard streams is opened: no pipe may get such a number
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    engine = ProcessEngine(program, jobs=jobs, timeout=timeout)
    with _interruptible():
        try:
            yield engine
        finally:
            engine.close()


def _outcome(row: Row) -> Outcome:
    index, body, output = row
    if isinstance(body, Failed):
        return body
    try:
        return Done(index, pickle.loads(body), output)
    except Exception as error:
        return Failed(index, "lost", f"the result cannot be read: {described(error)}", output)


def _context(method: Method) -> Context:
    if method == "fork":
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back Ctrl-C, so that no worker is half made or half ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, UNDISTURBED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM end this process in good order too, unless someone handles it already."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
