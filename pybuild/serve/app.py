"""The ASGI application: a request as the server hands it over becomes an answer that is sent.

Owns the reading of requests, the check of `Host`, the bound of bodies and the sending. What is answered comes
from the function it is made with. Knows no rule and no socket.
Sources: ASGI 3, "HTTP & WebSocket"; RFC 9112 §3.2 (Host), §3.2.2 (absolute form); RFC 9110 §15.5.20 (421).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pybuild.records import Headers
from pybuild.rules.evaluate import Request
from pybuild.serve.responses import Answer, text_answer

MAX_BODY = 1024 * 1024  # bytes; only proxies look at bodies
_VISIBLE = "".join(map(chr, range(0x20, 0x7F))) + "\t"
Log = Callable[[str], None]


class BodyTooLarge(Exception):
    """The body of a request is larger than `MAX_BODY`."""


class CutOff(Exception):
    """A body cannot be sent to its end, which only the end of the connection can say."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request, and the body that it may have."""

    address: str  # of the network, as text
    body: Callable[[], Awaitable[bytes]]  # raises `BodyTooLarge`


Answering = Callable[[Request, Visitor], Awaitable[Answer]]


class Application:
    """What the server calls for each request."""

    def __init__(
        self,
        answer: Answering,
        *,
        accepts: Callable[[str], bool],
        log: Log | None = None,
        always: Headers = (),
    ) -> None:
        """`accepts` tells of a `Host` whether it is answered for; `always` replaces headers of every answer."""
        self._always = always
        self._replaced = frozenset(name.lower() for name, _ in always)
        self._answer = answer
        self._accepts = accepts
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = read_request(scope)

        async def body() -> bytes:
            if int(next(iter(request.lines("content-length")), "0")) > MAX_BODY:
                raise BodyTooLarge
            received, more = b"", True
            while more:
                message = await receive()
                received += message.get("body", b"")
                more = message.get("more_body", False)
                if len(received) > MAX_BODY:
                    raise BodyTooLarge
            return received

        try:
            visitor = Visitor((scope["client"] or ("",))[0], body)
            answer = self._refusal(request) or await self._answer(request, visitor)
        except BodyTooLarge:
            answer = text_answer(413, "413\n")
        if self._always:
            kept = tuple(pair for pair in answer.headers if pair[0].lower() not in self._replaced)
            answer = replace(answer, headers=(*kept, *self._always))
        if self._log:
            self._log(f"{answer.status} {request.method} {request.target}")
        await _send(answer, scope, receive, send)

    def _refusal(self, request: Request) -> Answer | None:
        """The answer to a request without one host, or for a host that this server does not answer for."""
        hosts = request.lines("host")
        if len(hosts) != 1 or not request.target.startswith("/"):
            return text_answer(400, "400\n", ("Connection", "close"))
        if self._accepts(hosts[0]):
            return None
        text = "421: this server does not answer for that host; start it with --allowed-host\n"
        return text_answer(421, text, ("Connection", "close"))


def read_request(scope: Scope) -> Request:
    """The request of an ASGI scope. An old one without a host is for this machine."""
    headers: Headers = tuple(
        (name.decode("ascii"), value.decode("latin-1")) for name, value in scope["headers"]
    )
    if scope["http_version"] == "1.0" and not any(name == "host" for name, _ in headers):
        headers = (("host", "localhost"), *headers)
    query: bytes = scope["query_string"]
    target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
    return Request(target.decode("ascii"), scope["method"], headers)


async def _send(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(name.lower().encode("ascii"), _field_bytes(value)) for name, value in answer.headers]
    if isinstance(answer.body, bytes):
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    response = StreamingResponse(answer.body, answer.status)
    response.raw_headers = headers
    try:
        await response(scope, receive, send)
    except* CutOff:
        scope["extensions"]["pybuild.abort"]()
        while (await receive())["type"] != "http.disconnect":
            pass


def _field_bytes(value: str) -> bytes:
    """A value with all but visible ASCII, spaces and tabs percent-encoded, so that it stays on its line."""
    if value.isascii() and value.isprintable():
        return value.encode("ascii")
    return quote(value, safe=_VISIBLE, errors="surrogateescape").encode("ascii")
