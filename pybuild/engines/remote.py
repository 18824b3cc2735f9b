"""What runs inside a Dask worker: it hands batches to a host process and waits for their outcomes.

Owns the one host of this worker, its environment, and what the worker says of itself. Runs no site code, and
never raises: Dask would write the arguments of a failed call into its log, and some are secret.
Source of truth: docs/cluster.md; the Python documentation of `subprocess`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import distributed

import pybuild
from pybuild.engines.host import Order, read_frame, write_frame
from pybuild.engines.installed import Installed, installed
from pybuild.engines.tracebacks import described

IDLE_SECONDS = 60.0  # after which a host without work is closed
_END_SECONDS = 1.0  # in which a host without work ends by itself
_KILL_SECONDS = 5.0
_OWN = (  # of the environment: where things lie on this machine
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TMP", "TEMP", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOSTNAME", "PWD",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ref:
    """Names a program and how it is run."""

    order: Order  # without what only the worker knows
    environment: Mapping[str, str]  # of the command
    umask: int

    def __repr__(self) -> str:
        return f"Ref({self.order.digest[:12]})"


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker says of itself."""

    installed: Installed
    user: int
    fault: str = ""  # why it cannot work here


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch. Where `outcomes` are missing, `fault` says why."""

    outcomes: bytes = b""  # a pickled list, which nobody opens on the way
    busy: float = 0.0  # seconds that children spent on it
    fault: str = ""
    kind: str = ""  # of the fault: "unprepared", "start" or "lost"
    worker: str = ""  # its address


class Host:
    """A host process and the batches that it owes an answer for.

    One thread makes the process, reads from it and buries it: the kernel ties its life to that thread.
    """

    def __init__(self, ref: Ref, threads: int) -> None:
        self.digest = ref.order.digest
        self._pending: dict[str, Future[tuple[bytes, float]]] = {}
        self._lock = threading.Lock()
        self._started: Future[None] = Future()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle = threading.Timer(IDLE_SECONDS, self.close)
        threading.Thread(target=self._live, args=(ref, threads), daemon=True, name="pybuild-host").start()
        self._started.result()
        self._rest()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def run(self, entries: list[Any]) -> tuple[bytes, float]:
        """Run a batch. Raises `EOFError` where the host dies meanwhile."""
        key, future = os.urandom(8).hex(), Future[tuple[bytes, float]]()
        assert self._process is not None and self._process.stdin is not None, (
            "a host is started as it is made"
        )
        with self._lock:
            self._idle.cancel()
            self._pending[key] = future
            try:
                write_frame(self._process.stdin, (key, entries))
            except OSError as fault:
                raise EOFError("the host has ended") from fault
        try:
            return future.result()
        finally:
            with self._lock:
                self._pending.pop(key, None)
                self._rest()

    def close(self) -> None:
        """End the host: in good order where it has nothing to do, else at once; its children die with it."""
        self._idle.cancel()
        if self._process is not None:
            if not self._pending and self._process.stdin is not None:
                with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                    self._process.stdin.close()
                    self._process.wait(_END_SECONDS)
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_SECONDS)

    def _rest(self) -> None:
        if not self._pending:
            self._idle.cancel()
            self._idle = threading.Timer(IDLE_SECONDS, self.close)
            self._idle.daemon = True
            self._idle.start()

    def _live(self, ref: Ref, threads: int) -> None:
        with tempfile.TemporaryDirectory(prefix="pybuild-", ignore_cleanup_errors=True) as folder:
            # Resolved, as the site's own path is.
            self._serve(ref, replace(ref.order, jobs=threads, folder=Path(folder).resolve()))

    def _serve(self, ref: Ref, order: Order) -> None:
        try:
            self._process = process = _spawn(ref)
            assert process.stdin is not None and process.stdout is not None, "both are pipes"
            write_frame(process.stdin, order)
            if refused := read_frame(process.stdout):
                raise OSError(refused)
        except Exception as fault:
            self.close()
            self._started.set_exception(fault)
            return
        self._started.set_result(None)
        with contextlib.suppress(EOFError, OSError):
            while True:
                key, outcomes, seconds = read_frame(process.stdout)
                with self._lock:
                    future = self._pending.pop(key, None)
                if future is not None:
                    future.set_result((outcomes, seconds))
        process.kill()
        status = process.wait()
        with self._lock:
            lost, self._pending = list(self._pending.values()), {}
        for future in lost:
            future.set_exception(EOFError(f"its host ended with status {status}"))


def _spawn(ref: Ref) -> subprocess.Popen[bytes]:
    own = {name: os.environ[name] for name in _OWN if name in os.environ}
    sent = {name: value for name, value in ref.environment.items() if name not in _OWN}
    place = str(Path(pybuild.__file__).parents[1])
    if place == str(Path.cwd()):  # a checkout that is not installed
        own["PYTHONPATH"] = os.pathsep.join(filter(None, (place, own.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "pybuild.engines.host", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**sent, **own},
        umask=ref.umask,
        start_new_session=True,
    )


class _Desk:
    """The programs that this worker knows, and its host."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.refs: dict[str, Ref] = {}
        self.host: Host | None = None

    def host_of(self, ref: Ref, threads: int) -> Host:
        """The host of a program; that of another program is closed."""
        with self.lock:
            if self.host is None or self.host.digest != ref.order.digest or not self.host.is_alive:
                self.close()
                self.host = Host(ref, threads)
            return self.host

    def close(self) -> None:
        if self.host is not None:
            self.host.close()
        self.host = None


_DESK = _Desk()


def prepare(ref: Ref) -> Worker:
    """Take note of a program, and try whether this worker can run it."""
    fault = ""
    try:
        if ref.order.file:
            Path(ref.order.file).read_bytes()
            probe = Path(ref.order.file).with_name(os.urandom(8).hex())
            probe.touch()
            probe.unlink()
        _DESK.refs[ref.order.digest] = ref
    except Exception as error:
        fault = described(error)
    return Worker(installed(), os.getuid(), fault)


def run_batch(digest: str, batch: bytes) -> bytes:
    """Run a batch of a prepared program; its entries are (index, timeout, pickled task). Returns an `Answer`."""
    worker = distributed.get_worker()
    answer = _answer(digest, batch, worker.state.nthreads)
    return pickle.dumps(replace(answer, worker=worker.address), pickle.HIGHEST_PROTOCOL)


def release(digest: str) -> None:
    """Forget a program. When this returns, nothing that it started here runs any more."""
    with _DESK.lock:
        _DESK.refs.pop(digest, None)
        if _DESK.host is not None and _DESK.host.digest == digest:
            _DESK.close()


def _answer(digest: str, batch: bytes, threads: int) -> Answer:
    ref = _DESK.refs.get(digest)
    if ref is None:
        return Answer(kind="unprepared")
    try:
        host = _DESK.host_of(ref, threads)
    except Exception as error:
        return Answer(fault=described(error), kind="start")
    try:
        outcomes, busy = host.run(pickle.loads(batch))
    except Exception as error:
        return Answer(fault=described(error), kind="lost")
    return Answer(outcomes, busy)
