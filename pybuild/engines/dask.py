"""The engine that runs tasks on the workers of a Dask cluster.

Owns the connection, the batches under way, and what becomes of those whose worker is lost. Runs no site code:
that is the host's (pybuild/engines/host.py), which sits beside each worker. Knows no route, page or finding.
Source of truth: distributed.dask.org, "Futures", "Worker resources and failures", "TLS/SSL".
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import ipaddress
import logging
import os
import pickle
import queue
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Generic
from urllib.parse import urlsplit

import dask
import distributed

from pybuild.engines import remote
from pybuild.engines.base import Cluster, EngineFault, Failed, Outcome, Program, R, T
from pybuild.engines.host import Order, ProgramPickler
from pybuild.engines.installed import difference, installed
from pybuild.engines.tracebacks import described
from pybuild.objects import Objects, StoreFault

_CONNECT_SECONDS = 20
_CLOSE_SECONDS = 5
_WAIT_SECONDS = 60.0  # for the wanted workers, and for any when all are gone
_ANSWER_SECONDS = 30.0  # for one worker to answer a question
_TICK = 1.0  # seconds between two looks at the cluster
_START_SECONDS = 60.0  # a host may take before its first task
_FIRST, _LEAST, _MOST = 8, 8, 1000  # tasks of a batch: at first, and its bounds afterwards
_ATTEMPTS = 3  # of one batch, before it is halved
_STARTS = 2  # hosts that do not start, before their worker is put aside
_ENCRYPTED = ("tls", "wss", "inproc")
_QUIET: dict[str, Any] = {  # of a cluster with one client and one worker: what it does besides running tasks
    "distributed.scheduler.http.routes": list[str](),
    "distributed.worker.http.routes": list[str](),
    "distributed.worker.profile.enabled": False,  # looks at every thread, a hundred times a second
    "distributed.admin.tick.interval": "1s",  # a look at the delay of its own loop, fifty times a second
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.work-stealing": False,
}
_INSTALL = "run pybuild, the scheduler and the workers from one image"


@dataclass(slots=True)
class _Batch:
    """Tasks that travel together."""

    indexes: list[int]
    attempts: int = 0
    sent: float = field(default_factory=time.monotonic)


class DaskEngine(Generic[T, R]):
    """Runs a program on the workers of one scheduler."""

    def __init__(self, client: Any, program: Program[T, R], cluster: Cluster, timeout: float) -> None:
        self._client = client
        self._cluster = cluster
        self._timeout = timeout
        self._run = os.urandom(8).hex()  # keys of two exports on one cluster must not meet
        self._number = 0  # of batches that were sent
        self._answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._under_way: dict[str, tuple[_Batch, Any]] = {}  # by key, with its future
        self._cost: float | None = None  # seconds of one child for one task
        self._prepared: set[str] = set()  # addresses of workers
        self._failed_starts: Counter[str] = Counter()
        self._busy = 0.0
        self._known: dict[str, int] = {}
        self._asked = -_TICK  # when the scheduler was asked for its workers
        self._ref = self._save(program)

    def open(self) -> None:
        """Wait for workers and hold each against this machine, before there is any work. Raises `EngineFault`."""
        if not self._workers():
            self._wait_for_workers(1)
        wanted = self._cluster.workers
        if len(self._workers()) < wanted:
            self._wait_for_workers(wanted)
        if (missing := wanted - len(self._workers())) > 0:
            message = f"{missing} of the {wanted} workers that are wanted did not come"
            self._cluster.warn(message, "start them, or lower cluster.workers")
        self._prepare(list(self._workers()))

    def run(self, tasks: Sequence[T], *, timeouts: Sequence[float] | None = None) -> Iterator[Outcome]:
        """Yield one outcome for each task, batch by batch, in the order in which batches end."""
        begun = time.monotonic()
        limits = [self._timeout] * len(tasks) if timeouts is None else timeouts
        todo: deque[_Batch] = deque()
        fresh = iter(range(len(tasks)))
        left = len(tasks)
        seen = bytearray(len(tasks))
        try:
            while left:
                self._send(tasks, limits, todo, fresh, left)
                assert self._under_way, "a task without an outcome is in a batch"
                for outcome in self._next(limits, todo):
                    if not seen[outcome.index]:
                        seen[outcome.index] = 1
                        left -= 1
                        yield outcome
        except (OSError, CancelledError) as fault:  # whatever is asked of a client without a scheduler
            raise self._lost_scheduler() from fault
        finally:
            self._drop()
        slots = sum(self._workers().values()) * (time.monotonic() - begun)
        self._cluster.count("busy share of the workers", self._busy / slots if slots else 0.0)
        self._cluster.count("batches", self._number)

    def close(self) -> None:
        """End all that this program started, on every worker that still answers."""
        self._drop()
        with contextlib.suppress(Exception):
            self._ask(remote.release, self._ref.order.digest, workers=list(self._workers()))
        if self._ref.order.file:
            Path(self._ref.order.file).unlink(missing_ok=True)
        else:
            with contextlib.suppress(StoreFault):  # `clean --store` removes it too
                Objects(self._cluster.store).delete([f"_programs/{self._ref.order.digest}"])

    def _save(self, program: Program[T, R]) -> remote.Ref:
        """Write the program where workers find it, without what must not lie on a disk."""
        cluster = self._cluster
        stream = io.BytesIO()
        ProgramPickler(stream, cluster.private, cluster.places if cluster.store else {}).dump(program)
        body = stream.getvalue()
        cluster.count("program bytes", len(body))
        umask = os.umask(0)
        os.umask(umask)
        order = Order(hashlib.sha256(body).hexdigest(), dict(cluster.private), 1, self._timeout)
        order = self._upload(body, order) if cluster.store else self._write(body, order)
        return remote.Ref(order, dict(os.environ), umask)

    def _upload(self, body: bytes, order: Order) -> Order:
        """Put the program and the site into the store, where they are not there yet."""
        cluster = self._cluster
        objects = Objects(cluster.store)
        objects.create(f"_programs/{order.digest}", body)
        objects.create(f"_bundles/{cluster.bundle[0]}", cluster.bundle[1])
        return replace(order, store=cluster.store, bundle=cluster.bundle[0], places=cluster.places)

    def _write(self, body: bytes, order: Order) -> Order:
        """Write the program where every worker reads it, at the same path."""
        folder = self._folder = self._cluster.folder or Path(tempfile.gettempdir(), f"pybuild-{os.getuid()}")
        folder.mkdir(0o700, parents=True, exist_ok=True)
        if (
            self._cluster.folder
        ):  # ours alone, and of one export at a time: what lies there was left by a dead one
            for left in folder.glob("*.program"):
                left.unlink(missing_ok=True)
        file = folder / f"{order.digest}.{self._run}.program"
        file.touch(0o600, exist_ok=False)
        with file.open("wb") as written:
            written.write(body)
        return replace(order, file=str(file))

    def _workers(self) -> dict[str, int]:
        """The addresses of the workers that the scheduler has now, and their threads."""
        if time.monotonic() - self._asked > _TICK:
            found = self._client.scheduler_info(n_workers=-1)["workers"]
            self._known = {address: said["nthreads"] for address, said in found.items()}
            self._asked = time.monotonic()
        return self._known

    def _wait_for_workers(self, count: int) -> None:
        with contextlib.suppress(TimeoutError):
            self._client.wait_for_workers(count, timeout=_WAIT_SECONDS)
        self._asked = -_TICK
        if not self._workers():
            raise EngineFault(
                "the cluster has no worker", "start workers for this scheduler: dask worker ADDRESS"
            )

    def _ask(self, function: Any, *arguments: Any, workers: list[str]) -> dict[str, Any]:
        """Call a function on workers; what one answers, or the exception that it did not."""

        async def one(address: str) -> Any:
            calling = self._client.run(function, *arguments, workers=[address], on_error="return")
            try:
                return (await asyncio.wait_for(calling, _ANSWER_SECONDS)).get(address)
            except Exception as fault:
                return fault

        async def all_of_them() -> dict[str, Any]:
            answers = await asyncio.gather(*map(one, workers))
            return dict(zip(workers, answers, strict=True))

        found: dict[str, Any] = self._client.sync(all_of_them)
        return found

    def _prepare(self, workers: list[str]) -> None:
        """Tell workers of the program, and refuse to go on where one would make other pages than we do."""
        ours = installed()
        answers = self._ask(remote.prepare, self._ref, workers=workers)
        alive = {address: said for address, said in answers.items() if isinstance(said, remote.Worker)}
        if not alive:
            said = next(iter(answers.values()), None)
            detail = described(said) if isinstance(said, Exception) else "they are gone"
            raise EngineFault(f"no worker of the cluster can run pybuild: {detail}", _INSTALL)
        differing = {
            address: text for address, said in alive.items() if (text := difference(ours, said.installed))
        }
        if differing:
            address, text = min(differing.items())
            count = f"{len(differing)} of {len(answers)} workers"
            raise EngineFault(f"{count} would make other pages: {address} has {text}", _INSTALL)
        for address, said in sorted(alive.items()):
            if said.fault:
                message = f"the worker {address} cannot use {self._folder}: {said.fault}"
                raise EngineFault(
                    message, "put the site on a disk that all workers see at this path, or set store.url"
                )
        if foreign := sorted(a for a, said in alive.items() if said.user != os.getuid()):
            self._cluster.warn(
                f"the worker {foreign[0]} runs as another user: files it writes cannot be changed here",
                "run all workers as one user",
            )
        self._prepared |= alive.keys()

    def _send(
        self,
        tasks: Sequence[T],
        limits: Sequence[float],
        todo: deque[_Batch],
        fresh: Iterator[int],
        left: int,
    ) -> None:
        """Fill the window: two batches a thread, and a few more."""
        threads = max(1, sum(self._workers().values()))
        while len(self._under_way) < 2 * threads + 4:
            if todo:
                batch = todo.popleft()
            else:
                size = self._size(left, threads)
                batch = _Batch(list(islice(fresh, size)))
            if not batch.indexes:
                return
            entries = [(i, limits[i], pickle.dumps(tasks[i], pickle.HIGHEST_PROTOCOL)) for i in batch.indexes]
            batch.sent = time.monotonic()
            key = f"pybuild-{self._run}-{self._number}"
            self._number += 1
            future = self._client.submit(
                remote.run_batch,
                self._ref.order.digest,
                pickle.dumps(entries),
                key=key,
                pure=False,
                retries=0,
            )
            self._under_way[key] = batch, future
            future.add_done_callback(lambda done, key=key: self._answers.put((key, done)))

    def _size(self, left: int, threads: int) -> int:
        """About a second of work, and less towards the end, so that all workers end together."""
        if self._cost is None:
            return _FIRST
        size = int(self._cluster.batch / max(self._cost, 1e-6))
        return max(1, min(max(size, _LEAST), _MOST, left // (2 * threads) + 1))

    def _next(self, limits: Sequence[float], todo: deque[_Batch]) -> list[Outcome]:
        """Wait for the next answer; return its outcomes, or put its batch back."""
        try:
            key, future = self._answers.get(timeout=_TICK)
        except queue.Empty:
            return self._look_after(limits, todo)
        batch, _ = self._under_way.pop(key, (None, None))
        if batch is None:
            return []
        return self._outcomes(batch, future, todo)

    def _outcomes(self, batch: _Batch, future: Any, todo: deque[_Batch]) -> list[Outcome]:
        answer = self._answer_of(future)
        future.release()
        if not answer.kind:
            self._busy += answer.busy
            cost = answer.busy / len(batch.indexes)  # of a task, from which the next batches take their size
            self._cost = cost if self._cost is None else (self._cost + cost) / 2
            return list(pickle.loads(answer.outcomes))
        if answer.kind == "unprepared":
            self._prepare([answer.worker])
            todo.append(batch)
            return []
        if answer.kind == "start":
            self._put_aside(answer)
            todo.append(batch)
            return []
        return self._retry(batch, answer, todo)

    def _answer_of(self, future: Any) -> remote.Answer:
        if future.status == "error":
            return remote.Answer(fault=described(future.exception()), kind="lost")
        if future.status != "finished":
            raise self._lost_scheduler()
        try:
            body = future.result(timeout=_ANSWER_SECONDS)
        except TimeoutError:  # its worker died after it had said that it was done
            return remote.Answer(fault="its answer did not come", kind="lost")
        self._cluster.count("bytes up", len(body))
        answer: remote.Answer = pickle.loads(body)
        return answer

    def _retry(self, batch: _Batch, answer: remote.Answer, todo: deque[_Batch]) -> list[Outcome]:
        """Send a batch again whose worker died; after some times halve it, down to the task that does it."""
        self._cluster.count("retried", 1)
        batch.attempts += 1
        if batch.attempts < _ATTEMPTS:
            todo.append(batch)
            return []
        if len(batch.indexes) == 1:
            detail = f"its worker was lost {_ATTEMPTS} times: {answer.fault}"
            return [Failed(batch.indexes[0], "lost", detail)]
        middle = len(batch.indexes) // 2
        todo.extend((_Batch(batch.indexes[:middle]), _Batch(batch.indexes[middle:])))
        return []

    def _put_aside(self, answer: remote.Answer) -> None:
        """Use a worker no longer whose host does not start."""
        self._failed_starts[answer.worker] += 1
        if self._failed_starts[answer.worker] < _STARTS:
            return
        if len(self._workers()) <= 1:
            raise EngineFault(
                f"no worker can run pages; the last one, {answer.worker}: {answer.fault}", _INSTALL
            )
        self._cluster.warn(f"the worker {answer.worker} was put aside: {answer.fault}", _INSTALL)
        with contextlib.suppress(Exception):
            self._client.retire_workers([answer.worker], close_workers=False)

    def _look_after(self, limits: Sequence[float], todo: deque[_Batch]) -> list[Outcome]:
        """Nothing came for a while: is the scheduler there, a worker, and is a batch past all deadlines?"""
        if self._client.status not in ("running", "connecting"):
            raise self._lost_scheduler()
        if not self._workers():
            self._wait_for_workers(1)
        now = time.monotonic()
        failed: list[Outcome] = []
        for key, (batch, future) in list(self._under_way.items()):
            # Behind it on the same child may lie all that is under way.
            limit = _START_SECONDS + 3 * sum(limits[index] for index in batch.indexes)
            if now - batch.sent > limit:
                del self._under_way[key]
                future.cancel(force=True)
                late = remote.Answer(fault=f"no answer for {int(limit)} seconds", kind="lost")
                failed += self._retry(batch, late, todo)
        return failed

    def _lost_scheduler(self) -> EngineFault:
        return EngineFault(
            "the scheduler of the cluster was lost; nothing was published", "start it and export again"
        )

    def _drop(self) -> None:
        """Forget what is under way: whoever stops listening must not meet its answers in the next run."""
        futures = [future for _, future in self._under_way.values()]
        self._under_way.clear()
        with contextlib.suppress(Exception):
            self._client.cancel(futures, force=True)


@contextlib.contextmanager
def open_dask(
    program: Program[T, R], *, jobs: int, timeout: float, cluster: Cluster
) -> Iterator[DaskEngine[T, R]]:
    """Open the engine; `jobs` is how many tasks a cluster on this machine runs at once. Raises `EngineFault`."""
    _refuse_insecure(cluster)
    for name in ("distributed", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it becomes a finding
    begun = time.monotonic()
    with _scheduler(cluster, jobs) as scheduler, _connection(scheduler, cluster) as client:
        try:
            engine = DaskEngine(client, program, cluster, timeout)
        except StoreFault as fault:
            raise EngineFault(
                f"the store {cluster.store} cannot be used: {fault}",
                "correct store.url, or the rights to write there",
            ) from fault
        try:
            engine.open()
            cluster.count("seconds to connect", time.monotonic() - begun)
            yield engine
        finally:
            engine.close()


def _refuse_insecure(cluster: Cluster) -> None:
    """Whoever reaches a scheduler, or listens on the way to it, runs code on its workers."""
    parts = urlsplit(cluster.address if "://" in cluster.address else f"tcp://{cluster.address}")
    if not cluster.address or cluster.is_insecure or parts.scheme in _ENCRYPTED:
        return
    try:
        is_here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        message = f"the cluster {cluster.address} is beyond this machine and not encrypted: who reaches it runs code"
        hint = "use tls:// with certificates, or --insecure-cluster in a network where nobody else is"
        raise EngineFault(message, hint)


@contextlib.contextmanager
def _scheduler(cluster: Cluster, jobs: int) -> Iterator[Any]:
    """What a client connects to: the address, or a scheduler and a worker in this process, without a port."""
    if cluster.address:
        yield cluster.address
        return
    with dask.config.set(_QUIET):
        local = distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=jobs,
            memory_limit=0,  # what it would count is this command's own memory
            processes=False,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
        )
    try:
        for server in (local.scheduler, *local.workers.values()):
            server.http_server.stop()
        yield local
    finally:
        local.close()


@contextlib.contextmanager
def _connection(scheduler: Any, cluster: Cluster) -> Iterator[Any]:
    options: dict[str, Any] = {}
    authority, certificate, key = cluster.certificates
    if authority or certificate:
        options["security"] = distributed.Security(
            require_encryption=True,
            tls_ca_file=authority or None,
            tls_client_cert=certificate or None,
            tls_client_key=key or None,
        )
    try:
        security = options.get("security") or distributed.Security()
        if cluster.address.startswith("tls://") and not security.get_connection_args("client")["ssl_context"]:
            raise EngineFault(
                f"there is no certificate for {cluster.address}",
                "set cluster.ca, cluster.cert and cluster.key",
            )
        # Of every worker, every two seconds, for a notebook: here the scheduler is asked when it matters.
        with dask.config.set({"distributed.client.scheduler-info-interval": "10m"}):
            client = distributed.Client(
                scheduler, set_as_default=False, timeout=_CONNECT_SECONDS, name="pybuild", **options
            )
    except EngineFault:
        raise
    except Exception as fault:  # of many kinds: no host, no answer, no certificate, another version
        message = f"the scheduler at {cluster.address} does not answer: {described(fault)}"
        raise EngineFault(message, "start it with: dask scheduler, or correct cluster.address") from fault
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=_CLOSE_SECONDS)
