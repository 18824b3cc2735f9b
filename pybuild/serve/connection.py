"""One connection of the preview: requests in their order, timeouts, and how many there may be.

Owns the socket side. Knows nothing of rules: `answers` says what to send.
Sources: RFC 9112 §9.3 (persistence), §9.3.2 (pipelining), §9.5 (timeouts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pybuild.serve.http import END, MAX_BODY, MAX_HEAD, MAX_LINE
from pybuild.serve.proxy import relay
from pybuild.serve.responses import Answer, Source, Stale, open_file, plain, refusal

HEAD_SECONDS = (
    10.0  # from the first byte of a request, or from the connection, to the end of its head and body
)
IDLE_SECONDS = 60.0  # between requests, and for a client that does not read
LINGER_SECONDS = 1.0  # for a client to read a refusal
MAX_CONNECTIONS = 1000
Log = Callable[[str], None]


class Pool:
    """All open connections, and what they share."""

    def __init__(self, source: Source, log: Log | None, *, limit: int = MAX_CONNECTIONS) -> None:
        self.source = source
        self.log = log
        self._limit = limit
        self._open: set[Connection] = set()

    def admit(self, connection: Connection) -> None:
        """Take a connection in; past the limit the one that has waited longest gives way."""
        if len(self._open) >= self._limit:
            oldest = min(self._open, key=lambda one: (one.is_busy, one.since))
            oldest.abort()
            self._open.discard(oldest)
        self._open.add(connection)

    def dismiss(self, connection: Connection) -> None:
        self._open.discard(connection)

    def sweep(self, now: float, *, head: float = HEAD_SECONDS, idle: float = IDLE_SECONDS) -> None:
        """End the connections that keep the others waiting. Run it every second; times in seconds."""
        for connection in tuple(self._open):
            connection.check(now, head, idle)

    def close(self) -> None:
        for connection in tuple(self._open):
            connection.abort()


class Connection(asyncio.Protocol):
    """Answers the requests of one client, one after the other."""

    def __init__(self, pool: Pool, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._clock = clock
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._paused = False
        self._closing = False
        self._asked = False  # whether "100 Continue" has been sent for the request at hand
        self._answered = 0
        self.since = clock()  # when the present wait began

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a server gives stream transports"
        self._transport = transport
        self._pool.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.dismiss(self)
        self._closing = True
        if self._task:
            self._task.cancel()

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()

    def pause_writing(self) -> None:
        self._paused = True
        self.since = self._clock()

    def resume_writing(self) -> None:
        self._paused = False
        self._transport.resume_reading()
        self._advance()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if not self._buffer and not self.is_busy:
            self.since = self._clock()
        self._buffer += data
        if self.is_busy or self._paused:
            if len(self._buffer) > MAX_HEAD + MAX_BODY:
                self._transport.pause_reading()  # the client is ahead of its answers
        else:
            self._advance()

    def check(self, now: float, head: float, idle: float) -> None:
        """End the connection where its time is over."""
        waited = now - self.since
        if (self._paused and waited > idle) or (self._closing and waited > LINGER_SECONDS):
            self.abort()
        elif not (self.is_busy or self._paused or self._closing):
            unasked = bool(self._buffer) or not self._answered
            if waited > (head if unasked else idle):
                self._refuse(refusal(408)) if self._buffer else self._end()

    def _refuse(self, answer: Answer) -> None:
        """Answer what is no request, and let the client read that: closing at once would reset what it still sends."""
        self._closing = True
        self.since = self._clock()
        self._buffer.clear()
        self._transport.write(answer.payload)
        self._transport.write_eof()

    def _end(self) -> None:
        self._closing = True
        self._transport.close()

    def _advance(self) -> None:
        """Answer the requests that have come in whole."""
        while not (self.is_busy or self._paused or self._closing):
            raw = self._next_head()
            if raw is None:
                return
            answer = self._pool.source.answers().of(raw)
            size = len(raw) + (answer.head.body_size if answer.head else 0)
            if len(self._buffer) < size:
                self._invite(answer)
                return
            body = bytes(self._buffer[len(raw) : size])
            del self._buffer[:size]
            self._asked = False
            self._answer(answer, body)

    def _next_head(self) -> bytes | None:
        """The next request up to its empty line; None while it is not there, or too large to wait for."""
        while self._buffer.startswith(b"\r\n"):  # RFC 9112 §2.2
            del self._buffer[:2]
        end = self._buffer.find(END)
        if end >= 0:
            return bytes(self._buffer[: end + len(END)])
        if len(self._buffer) > MAX_LINE and b"\r\n" not in self._buffer[: MAX_LINE + 2]:
            self._refuse(refusal(414))
        elif len(self._buffer) > MAX_HEAD:
            self._refuse(refusal(431))
        return None

    def _invite(self, answer: Answer) -> None:
        if answer.head and answer.head.expects and not self._asked:
            self._asked = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _answer(self, answer: Answer, body: bytes) -> None:
        self._answered += 1
        self.since = self._clock()
        if self._pool.log:
            self._pool.log(_log_line(answer))
        if answer.head is None:
            self._refuse(answer)
            return
        if answer.file is None and answer.call is None:
            self._transport.write(answer.payload)
            if answer.close:
                self._end()
            return
        job = self._stream(answer) if answer.file else relay(answer, body, self._transport)
        self._task = asyncio.get_running_loop().create_task(job)
        self._task.add_done_callback(lambda task: self._finished(task, answer))

    async def _stream(self, answer: Answer) -> None:
        """Send a large file without holding it in memory."""
        assert answer.file is not None, "only files are streamed"
        try:
            stream = open_file(self._pool.source.output.out, answer.file)
        except Stale:
            text = "503: this file was changed since the export; export again\n"
            self._transport.write(plain(503, text, close=True).payload)
            self._end()
            return
        with stream:
            self._transport.write(answer.payload)
            size = answer.stop - answer.start
            await asyncio.get_running_loop().sendfile(self._transport, stream, answer.start, size)

    def _finished(self, task: asyncio.Task[None], answer: Answer) -> None:
        self._task = None
        self.since = self._clock()
        if task.cancelled() or self._closing:
            return
        if task.exception() is not None:
            self.abort()
        elif answer.close:
            self._end()
        else:
            self._transport.resume_reading()
            self._advance()


def _log_line(answer: Answer) -> str:
    request = answer.head.request if answer.head else None
    return (
        f"{answer.status} {request.method} {request.target}" if request else f"{answer.status} (no request)"
    )
