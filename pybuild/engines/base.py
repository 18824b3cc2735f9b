"""The promise every engine makes: run one program over many tasks, somewhere, and account for each task.

Owns the values that cross an engine's border. Knows no route, page or finding, and no way of running.
Source of truth: the protocols below; every engine is held against tests/engines/test_promises.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

Reason = Literal["timeout", "exit", "signal", "raised", "lost"]


class Program(Protocol[T_contra, R_co]):
    """A picklable description of what to run."""

    def start(self) -> Callable[[T_contra], R_co]:
        """Import what the work needs and return the function that does one task.

        Called once in each worker. What it prints is dropped unless it fails.
        """


class Expired(BaseException):
    """Raised inside a task that ran past its deadline, where the engine cannot end its process."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of the stack of a task that was stopped."""

    file: str  # as the code object names it
    line: int  # 1-based
    name: str  # of the function


@dataclass(frozen=True, slots=True)
class Done(Generic[R_co]):
    """A task that came to its end."""

    index: int  # position in the sequence given to `run`
    value: R_co
    output: str = ""  # what it printed, both streams in order, at most about 64 KiB


@dataclass(frozen=True, slots=True)
class Failed:
    """A task without a value.

    `reason` and `detail` go together: "timeout" with "60 seconds", "exit" with "exit status 3", "signal" with
    "SIGSEGV", "raised" (an exception the program let out) with "ValueError: text", "lost" (the task or its
    value could not travel, or no worker would start) with a sentence.
    """

    index: int
    reason: Reason
    detail: str
    output: str = ""
    frames: tuple[Frame, ...] = ()  # where it was, innermost last; empty when nobody could tell


Outcome = Done[Any] | Failed


class EngineFault(Exception):
    """The engine or its machines cannot work at all; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines of an engine that has some, and what it needs of the site to use them."""

    address: str = ""  # of the scheduler; "" is a cluster on this machine
    workers: int = 0  # to wait for before starting
    batch: float = 1.0  # seconds of work in a batch
    certificates: tuple[str, str, str] = ("", "", "")  # files: of the authority, our own, its key
    is_insecure: bool = False  # whether an address without encryption may lie beyond this machine
    folder: Path | None = None  # seen by all workers at this path; None where all run on this machine
    store: str = ""  # the address of objects that all workers see, where they do not see `folder`
    bundle: tuple[str, bytes] = ("", b"")  # the digest and bytes of the site, for the store
    places: Mapping[str, Path] = field(
        default_factory=dict
    )  # "site" and "stage": folders that lie elsewhere there
    private: Mapping[str, Any] = field(default_factory=dict)  # parts of programs that no disk may keep
    warn: Callable[[str, str], None] = lambda message, hint: None
    count: Callable[[str, float], None] = lambda name, number: None  # a figure for whoever measures


class Engine(Protocol[T_contra, R_co]):
    """Something that runs tasks; made by `open_engine`, closed with its context."""

    def run(
        self, tasks: Sequence[T_contra], *, timeouts: Sequence[float] | None = None
    ) -> Iterator[Done[R_co] | Failed]:
        """Yield one outcome for each task, in any order.

        `timeouts` are seconds, one a task; without them the engine's own limit holds for all. May be called
        again on the same workers once the last iterator is exhausted or closed.
        """


def seconds(limit: float) -> str:
    """A time limit in words: `1 second`, `0.5 seconds`."""
    return f"{limit:g} second" + ("" if limit == 1 else "s")
