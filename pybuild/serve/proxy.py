"""Passing a request on to the backend that a proxy rule names.

Owns what of a request and of an answer goes through, and the secrets, which are read from the environment in that
moment. Knows no rule.
Sources: RFC 9110 §7.6 (forwarding).
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from functools import cache

import httpx2

from pybuild.records import Headers
from pybuild.rules.evaluate import ADDITIVE, ProxyCall, Request, join_list
from pybuild.rules.owned_headers import CONNECTION
from pybuild.serve.app import CutOff
from pybuild.serve.responses import Answer, text_answer

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0  # until the head of the backend's answer, and between parts of its body
_NOT_SENT = CONNECTION | {"host", "authorization", "cookie", "content-length", "expect"}
_NOT_BROUGHT = CONNECTION | {"set-cookie"}


async def relay(call: ProxyCall, request: Request, body: bytes, added: Headers) -> Answer:
    """Ask the backend; 502 and 504 where it does not answer, or a secret is not set. `added` is what rules add."""
    unset = [header.env for header in call.headers if header.env and header.env not in os.environ]
    if unset:
        return text_answer(502, f"502: the variable {unset[0]} is not set\n")
    transport = httpx2.AsyncHTTPTransport(verify=_trust(), trust_env=False)
    try:
        response = await transport.handle_async_request(backend_request(call, request, body))
    except httpx2.TimeoutException:
        await transport.aclose()
        return text_answer(504, "504: the backend of this address does not answer\n")
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        await transport.aclose()
        return text_answer(502, "502: the backend of this address does not answer\n")
    # what the rules add replaces what the backend says of the same name; lists grow
    pairs = response.headers.multi_items()
    dropped = _NOT_BROUGHT | _named_in_connection(pairs)
    brought = [(name.lower(), value) for name, value in pairs if name.lower() not in dropped]
    old = dict(brought)
    own = {
        name.lower(): join_list(old.get(name.lower(), ""), value) if name.lower() in ADDITIVE else value
        for name, value in added
    }
    return Answer(
        response.status_code,
        (*(pair for pair in brought if pair[0] not in own), *own.items()),
        _body(response, transport),
    )


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _body(response: httpx2.Response, transport: httpx2.AsyncHTTPTransport) -> AsyncIterator[bytes]:
    try:
        async for part in response.aiter_raw():
            yield part
    except httpx2.HTTPError as fault:
        raise CutOff from fault
    finally:
        await response.aclose()
        await transport.aclose()


def backend_request(call: ProxyCall, request: Request, body: bytes) -> httpx2.Request:
    """What goes to the backend: the visitor's request without credentials, then what the rule adds."""
    own = {}
    for header in call.headers:
        value = os.environ[header.env] if header.env else header.value
        # line breaks in a secret would be headers of their own
        own[header.name.lower()] = (header.name, re.sub(r"[\r\n\0]", "", value))
    named = _named_in_connection(request.headers)
    kept = [pair for pair in request.headers if pair[0] not in _NOT_SENT | own.keys() | named]
    has_body = bool(body) or request.method in {"POST", "PUT", "PATCH"}
    limits = {
        "connect": CONNECT_SECONDS,
        "read": ANSWER_SECONDS,
        "write": ANSWER_SECONDS,
        "pool": ANSWER_SECONDS,
    }
    return httpx2.Request(
        request.method,
        call.url,
        headers=[*kept, *own.values(), ("Connection", "close")],
        content=body if has_body else None,
        extensions={"timeout": limits},
    )


def _named_in_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    said = ",".join(value for name, value in headers if name.lower() == "connection")
    return {name.strip().lower() for name in said.split(",")} - {""}
