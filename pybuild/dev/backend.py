"""The processes that hold the session, and which of them answers.

Owns how many there are: a second one starts where the first is busy with a page, so that a page that hangs stops no
other. It would read the site first, so the first is waited for as long as that takes, and while it reads itself. A
change interrupts what takes long. Knows no request and no file.
"""

from __future__ import annotations

import asyncio
import math
import queue
import threading
import time
from dataclasses import replace
from typing import Any

from pybuild.dev.messages import Change, Reply, SessionProgram, State
from pybuild.engines import Done, Failed
from pybuild.engines.supervisor import ProcessEngine
from pybuild.rules.evaluate import Request

MOST = 3  # sessions
_PATIENCE = 0.25  # seconds, at least, to wait for a session that is busy before another is started
_LONG = 0.5  # seconds after which a change ends what is running


class Lost(Exception):
    """A session ended without an answer; its text says why."""


class _Slot:
    """One session, and the thread that talks to it: the kernel ties the life of a process to the thread that made it."""

    def __init__(self, program: SessionProgram, number: int) -> None:
        self.number = number
        self.pending: frozenset[str] | None = (
            frozenset()
        )  # changed files it has not read; None: nothing has changed
        self.is_reading = False
        self._since = math.inf  # when its task began, in monotonic seconds
        self._limits = [math.inf]  # seconds the task may take; the engine looks at it while it waits
        self._program = replace(program, folder=program.folder / str(number))
        self._tasks: queue.SimpleQueue[tuple[Any, Any, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def ask(self, task: Request | Change) -> Any:
        """What the session gives for a task. Raises `Lost`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._tasks.put((task, loop, future))
        return await asyncio.shield(future)

    def interrupt(self) -> None:
        """End a task that has taken long, and the session with it: the next task finds a new one."""
        if time.monotonic() - self._since > _LONG:
            self._limits[0] = 0.0

    def close(self) -> None:
        self._limits[0] = 0.0
        self._tasks.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        engine: ProcessEngine[Any, Any] = ProcessEngine(
            self._program, jobs=1, timeout=math.inf, method="spawn"
        )
        while (item := self._tasks.get()) is not None:
            task, loop, future = item
            self._limits, self._since = [math.inf], time.monotonic()
            (outcome,) = engine.run([task], timeouts=self._limits)
            self._since = math.inf
            loop.call_soon_threadsafe(_set_outcome, future, outcome)
        engine.close()


def _set_outcome(future: asyncio.Future[Any], outcome: Done[Any] | Failed) -> None:
    if future.done():
        return
    if isinstance(outcome, Done):
        future.set_result(outcome.value)
    else:
        future.set_exception(Lost(f"{outcome.detail}\n{outcome.output}".strip()))


class Backend:
    """All sessions of one site."""

    def __init__(self, program: SessionProgram) -> None:
        self._program = program
        self._slots: list[_Slot] = []
        self._patience = _PATIENCE
        self._idle: asyncio.PriorityQueue[tuple[int, _Slot]] = asyncio.PriorityQueue()

    async def ask(self, request: Request) -> Reply:
        """Answer a request by the site as it is now. Raises `Lost` where that fails twice."""
        for last in (False, True):
            slot = await self._take()
            try:
                await self._bring_up(slot)
                reply: Reply = await slot.ask(request)
            except Lost:
                slot.pending = frozenset()
                if last:
                    raise
            else:
                return reply
            finally:
                self._idle.put_nowait((slot.number, slot))
        raise AssertionError("the second try returns or raises")

    async def change(self, files: frozenset[str]) -> State:
        """Read the site again after a change; what takes long is ended. Raises `Lost`."""
        for slot in self._slots:
            if slot.pending is None:
                slot.pending = files
            else:  # an empty set says that any file may have changed
                slot.pending = slot.pending | files if slot.pending and files else frozenset()
            slot.interrupt()
        for last in (False, True):
            slot = await self._take()
            try:
                return await self._bring_up(slot) or await slot.ask(Change(frozenset()))
            except Lost:
                slot.pending = frozenset()
                if last:
                    raise
            finally:
                self._idle.put_nowait((slot.number, slot))
        raise AssertionError("the second try returns or raises")

    async def _bring_up(self, slot: _Slot) -> State | None:
        """Let a session read what has changed since its last task."""
        if slot.pending is None:
            return None
        files, slot.pending = slot.pending, None
        slot.is_reading = True
        try:
            state: State = await slot.ask(Change(files))
        finally:
            slot.is_reading = False
        self._patience = max(_PATIENCE, state.seconds)
        return state

    async def _take(self) -> _Slot:
        while self._slots:
            try:
                return (await asyncio.wait_for(self._idle.get(), self._patience))[1]
            except TimeoutError:
                if len(self._slots) < MOST and not any(slot.is_reading for slot in self._slots):
                    break
        slot = _Slot(self._program, len(self._slots))
        self._slots.append(slot)
        return slot

    def close(self) -> None:
        for slot in self._slots:
            slot.close()
