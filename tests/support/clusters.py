"""A Dask cluster of real processes on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import environment

_READY_SECONDS = 60


@dataclass
class Machines:
    """The processes of a cluster."""

    folder: Path
    options: tuple[str, ...] = ()  # of both commands
    address: str = ""
    scheduler: Any = None
    workers: list[Any] = field(default_factory=list)

    def start_scheduler(self) -> None:
        file = self.folder / "scheduler.json"
        self.scheduler = self._start("dask_scheduler", "--port", "0", "--scheduler-file", str(file))
        wait_for(lambda: file.exists() and file.stat().st_size > 0)
        self.address = json.loads(file.read_text())["address"]

    def start_worker(self, *options: str, env: Mapping[str, str] | None = None) -> Any:
        nanny = () if "--nanny" in options else ("--no-nanny",)
        worker = self._start(
            "dask_worker", self.address, "--nthreads", "1", "--local-directory", str(self.folder), *nanny, *options, env=env
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def hosts(self) -> list[int]:
        """The process ids of the hosts that the workers have now."""
        ours = {worker.pid for worker in self.workers}
        return [
            pid for pid, parent, line in _processes() if parent in ours and "pybuild.engines.host" in line
        ]

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, command: str, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
        log = (self.folder / f"{command}-{len(self.workers)}.log").open("wb")
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{command}", "--host", "127.0.0.1", "--no-dashboard", *self.options, *arguments],
            env={**environment(), "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10s", **(env or {})},
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=self.folder,  # `-m` looks there first
        )  # fmt: skip


def _processes() -> Iterator[tuple[int, int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            yield int(folder.name), parent, line


def wait_for(ready: Callable[[], bool], seconds: float = _READY_SECONDS) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "what was waited for did not come"
        time.sleep(0.05)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
