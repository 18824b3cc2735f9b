"""Responses, read to their end.

Owns `Answer`, and how a Starlette-compatible response or an ASGI application is run without a server. Knows no
route, no file and no finding.
Sources: the ASGI specification 3.0, "HTTP"; Starlette's `responses` and `endpoints`; RFC 9110 §5.3, §8.4.
"""

from __future__ import annotations

import asyncio
import gzip
import inspect
import zlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive

from pybuild.records import Headers
from pybuild.rules.owned_headers import HOST_OWNED

_ASGI = ["scope", "receive", "send"]
_SINGLE = frozenset(  # fields that are no lists
    {
        "access-control-allow-origin",
        "content-disposition",
        "content-location",
        "content-type",
        "expires",
        "location",
    }
)
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
    headers: Headers  # each name once, in lower case, in the order of the response, without what a host sets itself
    location: str = ""
    repeated: str = ""  # a field that may be there once, and is there with two values


def _empty_body() -> Receive:
    """Give one empty message; a build never disconnects."""
    left: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop()

    return receive


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


async def run_application(application: Any, scope: MutableMapping[str, Any] | None = None) -> Answer:
    """Send one GET to an ASGI application or response, and gather what it sends until it returns.

    Raises RuntimeError where it sends nothing.
    """
    status = 0
    headers: list[tuple[bytes, bytes]] = []
    body = bytearray()

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await application(dict(_SCOPE) if scope is None else scope, _empty_body(), send)
    if not status:
        raise RuntimeError("it sent no response")
    return _answer(status, headers, bytes(body))


def _parameters(value: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        return []


def _answer(status: int, raw: Iterable[tuple[bytes, bytes]], body: bytes) -> Answer:
    joined: dict[str, str] = {}
    repeated = ""
    for name, value in ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw):
        if name in _SINGLE and joined.get(name):
            repeated = name if value not in ("", joined[name]) else repeated
        elif name not in HOST_OWNED:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    media_type = joined.pop("content-type", "")
    if (plain := _decoded(body, joined.get("content-encoding", ""))) is not None:
        body, _ = plain, joined.pop("content-encoding", "")
    return Answer(status, body, media_type, tuple(joined.items()), joined.get("location", ""), repeated)


def _decoded(body: bytes, codings: str) -> bytes | None:
    """The body without its codings, the last one first; None where one is not known or the body is not in it."""
    for coding in reversed([one.strip().lower() for one in codings.split(",") if one.strip()]):
        try:
            if coding in {"gzip", "x-gzip"}:
                body = gzip.decompress(body)
            elif coding == "deflate":
                body = zlib.decompress(body)
            elif coding != "identity":
                return None
        except (OSError, EOFError, zlib.error):
            return None
    return body
