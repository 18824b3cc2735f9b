"""The HTTP/1.1 connections of uvicorn, with bounds: bytes and seconds of a head, seconds of a body, readers that stop.

Owns what is refused before there is a request, and with which status. Knows no file and no rule.
Sources: RFC 9112 §3 (request line), §9.5 (timeouts); RFC 9110 §15.5 (status codes); uvicorn,
"protocols/http/httptools_impl.py".
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_LINE = 8 * 1024  # bytes of an address
MAX_HEAD = 32 * 1024  # bytes of the request line and all fields
MAX_FIELDS = 100
HEAD_SECONDS = (
    10.0  # from the first byte of a request, or from the connection, to the end of its head and body
)
IDLE_SECONDS = 60  # between requests, and for a client that does not read
_LINGER_SECONDS = 1.0  # for a client to read a refusal
_PIECE = 4 * 1024  # bytes that are parsed between two looks at the size of a head


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Past `limit_concurrency` of the configuration, a new one is refused with 503."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._status = 400  # of the refusal, where the parser stops
        self._refused = False
        self._in_head = False
        self._is_whole = True  # whether the request that came last is there to its end
        self._head_size = 0
        self._unread: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._expire)
        if len(self.connections) >= (self.limit_concurrency or len(self.connections) + 1):
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        self.resume_writing()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection of a client that only stopped sending until it has its answers."""
        if self._is_answering:
            self.cycle.keep_alive = False
        return self._is_answering

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            if self._refused or self.transport.is_closing():
                return
            piece = data[start : start + _PIECE]
            super().data_received(piece)
            self._head_size += len(piece) if self._in_head else 0
            if self._head_size > MAX_HEAD:
                self._refuse(431)
        if self._is_whole and self._is_answering:
            self._cancel_deadline()
        elif self._deadline is None and not self._refused:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._expire)

    def on_message_begin(self) -> None:
        self._in_head, self._is_whole, self._head_size = True, False, 0
        super().on_message_begin()
        self.scope["extensions"] = {"pybuild.abort": self.transport.abort}  # type: ignore[dict-item]

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_LINE:
            self._stop(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.rstrip(b" \t"))
        if len(self.headers) > MAX_FIELDS:
            self._stop(431)

    def on_headers_complete(self) -> None:
        self._in_head, self._head_size = False, 0
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            self._stop(505)
        if not self.url.startswith(b"/") and (host := httptools.parse_url(self.url).host):  # RFC 9112 §3.2.2
            self.headers[:] = [pair for pair in self.headers if pair[0] != b"host"] + [(b"host", host)]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_whole = True
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(IDLE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._status)

    def _stop(self, status: int) -> None:
        """End parsing, from inside a callback of the parser: what it raises becomes `send_400_response`."""
        self._status = status
        raise ValueError(status)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if self._is_answering and self.cycle.response_started:  # an earlier request of the connection
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._expire)
        elif self._in_head or self._is_answering:
            self._refuse(408)
        else:
            self.transport.abort()

    def _refuse(self, status: int) -> None:
        """Answer what is no request, and let the client read that: closing at once would reset what it still sends."""
        self._refused = True
        self._cancel_deadline()
        self._unset_keepalive_if_required()
        if self._is_answering and self.cycle.response_started:
            self.transport.abort()
            return
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.pipeline.clear()
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        self.transport.write(f"{head}Content-Length: 4\r\nConnection: close\r\n\r\n{status}\n".encode())
        self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.abort)
