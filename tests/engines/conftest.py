"""A toy program, and a way to run it to the end on an engine of the table."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cloudpickle
import pytest

from pybuild.engines import Done, Failed, open_engine


@dataclass(frozen=True)
class Toy:
    """Runs `work`; `begin` is what happens once a worker."""

    work: Callable[[Any], Any]
    begin: Callable[[], object] = lambda: None

    def start(self) -> Callable[[Any], Any]:
        self.begin()
        return self.work

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel by value: on the workers of a cluster nobody can import what a test defines."""
        begin, work = self.begin, self.work

        def start() -> Callable[[Any], Any]:
            begin()
            return work

        if module := sys.modules.get(work.__module__ or ""):
            with contextlib.suppress(ValueError):
                cloudpickle.register_pickle_by_value(module)
        return cloudpickle.loads, (cloudpickle.dumps(SimpleNamespace(start=start)),)


Outcomes = list[Done[Any] | Failed]


@pytest.fixture
def toy() -> type[Toy]:
    return Toy


@pytest.fixture
def run_on() -> Callable[..., Outcomes]:
    def run(
        name: str, program: Toy, tasks: Sequence[Any], *, jobs: int = 2, timeout: float = 20.0
    ) -> Outcomes:
        with open_engine(name, program, jobs=jobs, timeout=timeout) as engine:
            return sorted(engine.run(tasks), key=lambda outcome: outcome.index)

    return run
