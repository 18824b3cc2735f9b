"""Which tasks a worker is given next.

Owns the size of batches (small at first, then about a fifth of a second of work, small again at the end), the
pickling of tasks, and the tasks that come back from a dead worker. Knows no process. At most one batch a
worker is pickled at any time.
Source of truth: guided self-scheduling, Polychronopoulos and Kuck, IEEE Transactions on Computers 36, 1987.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from pybuild.engines.base import Failed
from pybuild.engines.protocol import Batch, Task
from pybuild.engines.tracebacks import described

_FIRST = 8  # tasks in the first batches, before a cost is known
_MOST = 256
_SECONDS = 0.2  # of work in a batch
_BYTES = 1 << 20  # of pickled tasks after which a batch is full


class Batches:
    """The tasks of one run that no worker holds."""

    def __init__(self, tasks: Sequence[Any], jobs: int) -> None:
        self.refused: list[Failed] = []  # tasks that cannot be pickled, for the caller to take
        self._tasks = tasks
        self._jobs = jobs
        self._next = 0
        self._returned: deque[Task] = deque()
        self._cost: float | None = None  # seconds a task

    def __bool__(self) -> bool:
        return bool(self._returned) or self._next < len(self._tasks)

    def take(self) -> Batch | None:
        """Return the next batch, or None when nothing is left. What came back is answered one by one."""
        if self._returned:
            size = min(self._share(len(self._returned)), len(self._returned))
            return True, [self._returned.popleft() for _ in range(size)]
        while self._next < len(self._tasks):
            tasks = list(self._packed(self._share(len(self._tasks) - self._next)))
            if tasks:
                return False, tasks
        return None

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Take back tasks whose worker died before it answered them."""
        self._returned.extend(tasks)

    def learn(self, count: int, seconds: float) -> None:
        """Hear that a worker needed `seconds` for `count` tasks."""
        cost = seconds / count
        self._cost = cost if self._cost is None else (self._cost + cost) / 2

    def rest(self) -> Iterator[int]:
        """Give up: empty the run and name every task that was still in it."""
        left = [index for index, _ in self._returned]
        first, self._next = self._next, len(self._tasks)
        self._returned.clear()
        yield from left
        yield from range(first, len(self._tasks))

    def _share(self, left: int) -> int:
        size = _FIRST if self._cost is None else int(min(_SECONDS / max(self._cost, 1e-6), _MOST))
        return max(1, min(size, left // (2 * self._jobs)))

    def _packed(self, count: int) -> Iterator[Task]:
        weight = 0
        for index in range(self._next, self._next + count):
            self._next = index + 1
            payload = self._pickled(index)
            if payload is not None:
                weight += len(payload)
                yield index, payload
            if weight > _BYTES:
                return

    def _pickled(self, index: int) -> bytes | None:
        try:
            return pickle.dumps(self._tasks[index], pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            self.refused.append(Failed(index, "lost", f"the task cannot be sent: {described(error)}"))
            return None
