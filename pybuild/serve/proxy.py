"""Passing a request on to the backend that a proxy rule names.

Owns the connection to it, what of a request and of an answer goes through, and the secrets, which are read
from the environment in that moment. Knows no rule.
Sources: RFC 9110 §7.6 (forwarding), RFC 9112 §6.3 (body length).
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

from pybuild.records import Headers
from pybuild.rules.evaluate import ADDITIVE, ProxyCall, Request, join_list
from pybuild.serve.http import format_fields, format_head
from pybuild.serve.responses import Answer, plain

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0  # until the head of the backend's answer, and between parts of its body
_LIMIT = 64 * 1024  # bytes of the head of the backend's answer
_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_NOT_SENT = _HOP | {"host", "authorization", "cookie", "content-length", "expect"}
_NOT_BROUGHT = (_HOP - {"transfer-encoding"}) | {"set-cookie"}
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?")


async def relay(answer: Answer, body: bytes, client: asyncio.Transport) -> None:
    """Ask the backend and send what it answers; 502 and 504 where it does not, or a secret is not set."""
    assert answer.call is not None and answer.head is not None, "only calls of proxy rules are relayed"
    unset = [header.env for header in answer.call.headers if header.env and header.env not in os.environ]
    if unset:
        client.write(plain(502, f"502: the variable {unset[0]} is not set\n", close=True).payload)
        return
    begun = False
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await _connect(answer.call)
        try:
            writer.write(request_head(answer.call, answer.head.request, len(body)) + body)
            async with asyncio.timeout(ANSWER_SECONDS):
                top = await _answer_head(reader, answer.headers)
            begun = True
            client.write(top)
            await _pass_on(reader, client)
        finally:
            writer.close()
    except TimeoutError:
        _fail(client, 504, begun=begun)
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        _fail(client, 502, begun=begun)


def _fail(client: asyncio.Transport, status: int, *, begun: bool) -> None:
    """Say that the backend failed; in the middle of an answer only the end of the connection says it."""
    if begun:
        client.abort()
    else:
        text = f"{status}: the backend of this address does not answer\n"
        client.write(plain(status, text, close=True).payload)


async def _connect(call: ProxyCall) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(call.url)
    secure = parts.scheme == "https"
    context = ssl.create_default_context() if secure else None
    port = parts.port or (443 if secure else 80)
    return await asyncio.open_connection(parts.hostname, port, ssl=context, limit=_LIMIT)


def request_head(call: ProxyCall, request: Request, body_size: int) -> bytes:
    """The head that goes to the backend: the visitor's without credentials, then what the rule adds."""
    parts = urlsplit(call.url)
    own = {header.name.lower(): (header.name, _value(header.env, header.value)) for header in call.headers}
    named = _named_in_connection(request.headers)
    kept = [pair for pair in request.headers if pair[0].lower() not in _NOT_SENT | own.keys() | named]
    length = (
        [("Content-Length", str(body_size))]
        if body_size or request.method in {"POST", "PUT", "PATCH"}
        else []
    )
    headers = [("Host", parts.netloc), *kept, *own.values(), *length, ("Connection", "close")]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line = f"{request.method} {target} HTTP/1.1\r\n".encode("utf-8", "surrogateescape")
    return line + format_fields(headers)


def _value(env: str, text: str) -> str:
    """A header's value; line breaks in a secret would be headers of their own."""
    value = os.environ[env] if env else text
    return re.sub(r"[\r\n\0]", "", value)


def _named_in_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    said = ",".join(value for name, value in headers if name.lower() == "connection")
    return {name.strip().lower() for name in said.split(",")} - {""}


async def _answer_head(reader: asyncio.StreamReader, added: Headers) -> bytes:
    """Read the head of the final answer and print it for the visitor. Raises `ValueError` where it is none."""
    status = 100
    while 100 <= status < 200:
        line, *fields = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        found = _STATUS.fullmatch(line)
        if found is None or len(fields) > 200:
            raise ValueError("not the head of an answer")
        status = int(found[1])
    pairs = [_pair(field) for field in fields]
    kept = [pair for pair in pairs if pair[0].lower() not in _NOT_BROUGHT | _named_in_connection(pairs)]
    return format_head(status, [*_merged(kept, added), ("Connection", "close")])


def _pair(field: bytes) -> tuple[str, str]:
    name, colon, value = field.decode("latin-1").partition(":")
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ValueError("not a header of an answer")
    return name, value.strip(" \t")


def _merged(brought: list[tuple[str, str]], added: Headers) -> list[tuple[str, str]]:
    """What the rules add replaces what the backend says of the same name; lists grow."""
    old = {name.lower(): value for name, value in brought}
    own = {
        name.lower(): (
            name,
            join_list(old.get(name.lower(), ""), value) if name.lower() in ADDITIVE else value,
        )
        for name, value in added
    }
    return [*(pair for pair in brought if pair[0].lower() not in own), *own.values()]


async def _pass_on(reader: asyncio.StreamReader, client: asyncio.Transport) -> None:
    """Send the body on as it is framed; the end of the backend's connection is that of the visitor's."""
    while True:
        async with asyncio.timeout(ANSWER_SECONDS):
            part = await reader.read(_LIMIT)
        if not part or client.is_closing():
            return
        client.write(part)
        while client.get_write_buffer_size() > 4 * _LIMIT and not client.is_closing():
            await asyncio.sleep(0.01)
