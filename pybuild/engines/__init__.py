"""Where tasks run: a table of engines and the one way to open them.

Owns the names. Knows no route, page or finding.
Source of truth: pybuild/engines/base.py for what every engine promises.
"""

from __future__ import annotations

import pkgutil
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pybuild.engines.base import Cluster, Done, Engine, EngineFault, Failed, Frame, Program, R, T
from pybuild.engines.serial import open_serial
from pybuild.engines.supervisor import open_processes

__all__ = [
    "ENGINES",
    "Cluster",
    "Done",
    "Engine",
    "EngineFault",
    "Failed",
    "Frame",
    "Opener",
    "Program",
    "UnknownEngine",
    "open_engine",
]


class Opener(Protocol):
    """Opens one engine; the timeout is in seconds."""

    def __call__(
        self, program: Program[Any, Any], *, jobs: int, timeout: float, cluster: Cluster
    ) -> AbstractContextManager[Engine[Any, Any]]: ...


def _open_dask(
    program: Program[T, R], *, jobs: int, timeout: float, cluster: Cluster
) -> AbstractContextManager[Engine[T, R]]:
    """Open the engine for clusters, which needs an extra and is loaded only here."""
    try:
        opened = pkgutil.resolve_name("pybuild.engines.dask:open_dask")
    except ImportError as missing:
        message = f"the engine dask needs more than is installed: {missing}"
        raise EngineFault(message, 'run: pip install "pybuild-export[cluster]"') from missing
    engine: AbstractContextManager[Engine[T, R]] = opened(
        program, jobs=jobs, timeout=timeout, cluster=cluster
    )
    return engine


ENGINES: dict[str, Opener] = {"dask": _open_dask, "processes": open_processes, "serial": open_serial}
_HERE = Cluster()


class UnknownEngine(ValueError):
    """Nobody knows an engine of that name; the text lists those that exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f'there is no engine "{name}"; choose one of: {", ".join(sorted(ENGINES))}')


def open_engine(
    name: str, program: Program[T, R], *, jobs: int, timeout: float, cluster: Cluster = _HERE
) -> AbstractContextManager[Engine[T, R]]:
    """Open an engine of the table for one program.

    `jobs` is the greatest number of workers, `timeout` the seconds a task may take unless `run` has
    others; only engines of many machines read `cluster`. Raises `UnknownEngine`, and on opening `EngineFault`.
    Leaving the context leaves no process behind.
    """
    if name not in ENGINES:
        raise UnknownEngine(name)
    return ENGINES[name](program, jobs=jobs, timeout=timeout, cluster=cluster)
