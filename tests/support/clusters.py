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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import CLUSTER_ZYGOTE, environment

_READY_SECONDS = 180
_HOST = "pybuild.engines.host"


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

    def start_worker(
        self, *options: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> Any:
        """Start one more worker; `before` are the words of a command that starts it, such as `unshare`."""
        nanny = () if "--nanny" in options else ("--no-nanny",)
        words = ("--nthreads", "1", "--local-directory", str(self.folder), *nanny, *options)
        worker = self._start("dask_worker", self.address, *words, env=env, before=before)
        self.workers.append(worker)
        return worker

    def hosts(self, *workers: Any) -> list[int]:
        """The process ids of the hosts that workers have now; of all of them where none is named."""
        ours = {pid: (parent, line) for pid, parent, line in self._below(workers) if _HOST in line}
        return [pid for pid, (parent, _) in ours.items() if parent not in ours]

    def children(self, *workers: Any) -> list[int]:
        """The process ids of what the hosts of workers have forked."""
        hosts = set(self.hosts(*workers))
        return [pid for pid, parent, _ in _processes() if parent in hosts]

    def family(self, worker: Any) -> list[int]:
        """A worker and all that it has started, the oldest first."""
        return [worker.pid, *(pid for pid, _, _ in self._below([worker]))]

    def _below(self, workers: Sequence[Any]) -> Iterator[tuple[int, int, str]]:
        found = {worker.pid for worker in workers or self.workers}
        for pid, parent, line in sorted(_processes()):
            if parent in found:
                found.add(pid)
                yield pid, parent, line

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(
        self, command: str, *arguments: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> Any:
        log = (self.folder / f"{command}-{len(self.workers)}.log").open("wb")
        words = ("--host", "127.0.0.1", "--no-dashboard", *self.options, *arguments)
        changed = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10s", **(env or {})}
        where = {"env": {**environment(), **changed}, "cwd": self.folder, "stdout": log, "stderr": log}
        if not before and "PYTHONPATH" not in changed:
            return CLUSTER_ZYGOTE.start(words, program=f"distributed.cli.{command}", is_session=True, **where)
        started = (*before, sys.executable, "-m", f"distributed.cli.{command}", *words)
        return subprocess.Popen(started, start_new_session=True, **where)  # `-m` looks in its folder first


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


def stored(root: Path, url: str, publish: str = "out") -> None:
    """Give a site a store."""
    with (root / "pybuild.toml").open("a") as settings:
        settings.write(f'\n[store]\nurl = "{url}"\npublish = "{publish}"\n')


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by POSIX path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def errors(summary: Any) -> list[tuple[str, str, int | None, str]]:
    """Each error of the summary of a command: code, file, line and message."""
    found = summary["diagnostics"]
    return [(d["code"], d["file"], d["line"], d["message"]) for d in found if d["severity"] == "error"]


def on(machines: Machines) -> tuple[str, ...]:
    """The options of an export on a cluster."""
    return "--engine", "dask", "--cluster", machines.address
