"""A toy program, and a way to run it to the end on an engine of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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
