"""The preview server: it listens, sweeps, and ends when told to.

Owns the listening socket and the signals. Knows no rule and no file.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from pybuild.publish.publication import Publication
from pybuild.rules.model import RuleSet
from pybuild.serve.connection import MAX_CONNECTIONS, Connection, Log, Pool
from pybuild.serve.responses import Source

BACKLOG = 1024  # connections that wait to be accepted
_SPARE = 48  # descriptors for everything but connections
_SWEEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen and for whom."""

    host: str = "127.0.0.1"
    port: int = 4000  # 0 takes a free one
    tries: int = 1  # ports to try, this one and those after it
    allowed: tuple[str, ...] = ()  # names answered for besides this machine's own


class Occupied(Exception):
    """The address cannot be listened on; its text says why."""


def listen(address: Address) -> socket.socket:
    """Bind the first free port. Raises `Occupied`."""
    fault = OSError()
    for port in range(address.port, address.port + address.tries):
        try:
            family, kind, proto, _, place = socket.getaddrinfo(
                address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, proto)
            with contextlib.ExitStack() as stack:
                stack.callback(listener.close)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(place)
                listener.listen(BACKLOG)
                stack.pop_all()
            return listener
        except OSError as seen:
            fault = seen
            if seen.errno != errno.EADDRINUSE:
                break
    raise Occupied(f"cannot listen on {address.host} port {address.port}: {fault.strerror}")


def serve(
    publication: Publication,
    listener: socket.socket,
    *,
    allowed: Iterable[str] = (),
    log: Log | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once requests are answered."""
    hosts = (listener.getsockname()[0], *(host.lower() for host in allowed))
    pool = Pool(Source(publication, hosts), log, limit=_connections())
    with contextlib.closing(listener):
        asyncio.run(_serve(pool, listener, ready))


def _connections() -> int:
    """How many connections there may be: no more than descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft - _SPARE))


async def _serve(pool: Pool, listener: socket.socket, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await _serve_until(stop, pool, listener, ready)


async def _serve_until(
    stop: asyncio.Event, pool: Pool, listener: socket.socket, ready: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(pool, loop.time), sock=listener, backlog=BACKLOG)
    ready()
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _SWEEP_SECONDS)
        pool.sweep(loop.time())
    server.close()
    pool.close()


@contextlib.contextmanager
def plain_files(publication: Publication) -> Iterator[int]:
    """Serve the files by their paths, without rules, on a free port: for engines that have no files themselves."""
    listener = listen(Address(port=0))
    port: int = listener.getsockname()[1]
    pool = Pool(Source(publication, None, lambda one: replace(one, rules=RuleSet())), None)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    serving = _serve_until(stop, pool, listener, ready.set)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,), daemon=True)
    with contextlib.closing(loop), contextlib.closing(listener):
        thread.start()
        ready.wait()
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
