"""Responses, read to their end.

Owns `Answer`, and how a Starlette-compatible response or an ASGI application is run without a server. Knows no
route, no file and no finding.
Sources: the ASGI specification 3.0, "HTTP"; Starlette's `responses` and `endpoints`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from pybuild.records import Headers

_SERVER_OWN = frozenset(  # a host sets these itself from the bytes it serves
    [
        "content-length",
        "etag",
        "last-modified",
        "date",
        "accept-ranges",
        "transfer-encoding",
        "connection",
        "server",
    ]
)
_ASGI = ["scope", "receive", "send"]
_SCOPE: Mapping[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says, read to its end."""

    status: int
    body: bytes
    media_type: str  # the whole Content-Type; "" when the response has none
    headers: Headers  # lower-case names, in the order of the response, without what a host sets itself
    location: str = ""


def is_application(value: object) -> bool:
    """Whether a handler is an ASGI application, such as an `HTTPEndpoint` class: it takes (scope, receive, send)."""
    return callable(value) and _parameters(value) == _ASGI


def is_response(value: object) -> bool:
    """Whether a value is a Starlette-compatible response: a callable of (scope, receive, send)."""
    if isinstance(value, Response):
        return True
    return callable(value) and not isinstance(value, type) and len(_parameters(value)) == 3


def plain_answer(response: object) -> Answer | None:
    """The answer of a response whose body is there already; None when it has to be run."""
    if isinstance(response, Response) and "body" in vars(response) and response.background is None:
        return _answer(response.status_code, response.raw_headers, bytes(response.body))
    return None


async def run_application(application: Any, scope: Mapping[str, Any] = _SCOPE) -> Answer:
    """Send one GET to an ASGI application or response, and gather what it sends until it returns.

    Raises RuntimeError where it sends nothing.
    """
    status = 0
    headers: list[tuple[bytes, bytes]] = []
    body = bytearray()
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        if received > 1:  # a build never disconnects
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await application({**_SCOPE, **scope}, receive, send)
    if not status:
        raise RuntimeError("it sent no response")
    return _answer(status, headers, bytes(body))


def _parameters(value: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        return []


def _answer(status: int, raw: Iterable[tuple[bytes, bytes]], body: bytes) -> Answer:
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
    first = dict(reversed(pairs))
    kept = tuple(p for p in pairs if p[0] not in _SERVER_OWN | {"content-type", "location"})
    return Answer(status, body, first.get("content-type", ""), kept, first.get("location", ""))
