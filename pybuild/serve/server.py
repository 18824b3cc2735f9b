"""The server: uvicorn on a socket of ours, until a signal ends it.

Owns the listening socket and the signals. Knows no rule and no file.
Sources: uvicorn, "Settings" and "server.py".
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace

import uvicorn

from pybuild.publish.publication import Publication
from pybuild.rules.model import RuleSet
from pybuild.serve.app import Application
from pybuild.serve.preview import preview_app
from pybuild.serve.protocol import IDLE_SECONDS, BoundedProtocol
from pybuild.serve.responses import CurrentAnswers

MAX_CONNECTIONS = 1000
BACKLOG = 1024  # connections that wait to be accepted
_SPARE = 48  # descriptors for everything but connections


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


class _Server(uvicorn.Server):
    """uvicorn's server; it says when it is ready, and whoever starts it sees to the signals."""

    def __init__(self, app: Application, ready: Callable[[], None]) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        connections = (
            MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft - _SPARE))
        )
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            loop="asyncio",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=connections,
            timeout_keep_alive=IDLE_SECONDS,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def end(self) -> None:
        """End at once: an answer that is being sent is cut off."""
        self.should_exit = self.force_exit = True


async def _nothing() -> None:
    """Do nothing beside the server."""


def serve(
    app: Application,
    listener: socket.socket,
    *,
    ready: Callable[[], None] = lambda: None,
    beside: Callable[[], Coroutine[None, None, None]] = _nothing,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once requests are answered; `beside` runs along."""
    server = _Server(app, ready)

    async def serve_until_signal() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.end)
        along = asyncio.create_task(beside())
        await server.serve([listener])
        along.cancel()

    with contextlib.closing(listener):
        asyncio.run(serve_until_signal())


@contextlib.contextmanager
def plain_files(publication: Publication) -> Iterator[int]:
    """Serve the files by their paths, without rules, on a free port: for engines that have no files themselves."""
    listener = listen(Address(port=0))
    port: int = listener.getsockname()[1]
    app = preview_app(CurrentAnswers(publication, lambda one: replace(one, rules=RuleSet())), hosts=None)
    is_ready = threading.Event()
    server = _Server(app, is_ready.set)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    with contextlib.closing(listener):
        thread.start()
        is_ready.wait()
        try:
            yield port
        finally:
            server.end()
            thread.join()
