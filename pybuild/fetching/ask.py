"""One request over the network, with its redirects and its tries.

Owns what is sent, what may be tried again and when to give up. Keeps nothing.
Sources: RFC 9110 §13.1 (conditional requests), §15.4 (redirects), §10.2.3 (Retry-After); RFC 6585 §4 (429).
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from pybuild.fetching.failure import FetchFailed, shown_url
from pybuild.fetching.store import Kept

RETRIED = frozenset({408, 425, 429, *range(500, 600)})
_REDIRECTS = 10
_ELSEWHERE = frozenset({"accept", "accept-language", "user-agent"})  # what goes along to another origin
_LEFT_OUT = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "set-cookie", "transfer-encoding"}
)
_FIRST_WAIT = 0.5  # seconds before the second try; each further wait is twice as long
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """A GET, as site code asks for it."""

    url: str
    headers: tuple[tuple[str, str], ...]  # lower case, sorted
    timeout: float = 30
    retries: int = 3
    max_bytes: int = 64 << 20

    @staticmethod
    def of(url: str, headers: Mapping[str, str], *, timeout: float, retries: int, max_bytes: int) -> Request:
        """Normalise a call. Raises `FetchFailed` for an address that is not one of http or https."""
        try:
            parsed = httpx2.URL(url)
        except (httpx2.InvalidURL, TypeError) as fault:
            raise FetchFailed(f"{url!r} is no address: {fault}", "write https://…", url=str(url)) from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            message = f"{shown_url(url)} is no address of http or https"
            raise FetchFailed(message, "write https://…, or read a file with open()", url=url)
        named = tuple(sorted((name.lower(), value) for name, value in headers.items()))
        return Request(str(parsed.copy_with(fragment=None)), named, timeout, retries, max_bytes)


def ask(request: Request, kept: Kept | None, *, deadline: float) -> Kept:
    """Send a request, again where that may help. `kept` is an older answer, whose validators go along.

    `deadline` is that of the page, by `time.monotonic`. Raises `FetchFailed`.
    """
    for attempt in range(request.retries + 1):
        wait: float | None = None
        try:
            answer, after = _once(request, kept, deadline)
            if answer.status not in RETRIED:
                if answer.status > 399:
                    raise _failed(request, f"answered {answer.status}", answer.status, attempt)
                return answer
            said, status, wait = f"answered {answer.status}", answer.status, after
        except httpx2.TransportError as fault:
            said, status = f"could not be asked: {type(fault).__name__}: {fault}".rstrip(": "), 0
        doubled = _FIRST_WAIT * 2**attempt * random.uniform(0.5, 1)
        wait = doubled if wait is None else min(wait, _LONGEST_WAIT)
        if attempt == request.retries or time.monotonic() + wait > deadline:
            break
        time.sleep(wait)
    raise _failed(request, said, status, attempt)


def _failed(request: Request, said: str, status: int, attempt: int) -> FetchFailed:
    tries = f" ({attempt + 1} tries)" if attempt else ""
    hint = "see that the source answers, or catch the error and show the page without it"
    return FetchFailed(f"{shown_url(request.url)} {said}{tries}", hint, url=request.url, status=status)


def _once(request: Request, kept: Kept | None, deadline: float) -> tuple[Kept, float | None]:
    """One try: the answer, and how long the source asks to wait."""
    end = min(time.monotonic() + request.timeout, deadline)
    known = {name.lower(): value for name, value in kept.headers} if kept else {}
    pairs = (("if-none-match", known.get("etag")), ("if-modified-since", known.get("last-modified")))
    validators = [(name, value) for name, value in pairs if value]
    sent = _client().build_request("GET", request.url, headers=[*request.headers, *validators])
    for _ in range(_REDIRECTS + 1):
        sent.extensions["timeout"] = httpx2.Timeout(max(end - time.monotonic(), 0.001)).as_dict()
        with contextlib.closing(_client().send(sent, stream=True)) as response:
            if response.status_code == 304 and kept:
                return replace(kept, asked_at=time.time()), None
            if not response.has_redirect_location or response.next_request is None:
                return _read(request, response, end), _retry_after(response.headers)
            sent = _next(request, response.next_request, sent)
    message = f"{shown_url(request.url)} redirects more than {_REDIRECTS} times"
    raise FetchFailed(message, "ask for the address where it ends", url=request.url, status=0)


def _next(request: Request, to: httpx2.Request, sent: httpx2.Request) -> httpx2.Request:
    """The request after a redirect: at another origin without what names the caller."""
    if to.url.scheme not in ("http", "https"):
        message = f"{shown_url(request.url)} redirects to {to.url.scheme}:, which is not asked"
        raise FetchFailed(message, "ask for another address", url=request.url)
    is_same = (to.url.scheme, to.url.host, to.url.port) == (sent.url.scheme, sent.url.host, sent.url.port)
    headers = [(n, v) for n, v in request.headers if is_same or n in _ELSEWHERE]
    return _client().build_request("GET", to.url, headers=headers)


def _read(request: Request, response: httpx2.Response, end: float) -> Kept:
    """Read an answer to its end, in the time and size that are left."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > request.max_bytes:
            message = f"{shown_url(request.url)} sends more than {request.max_bytes:,} bytes"
            raise FetchFailed(message, "ask for less, or raise max_bytes", url=request.url)
        if time.monotonic() > end:
            raise httpx2.ReadTimeout(f"the answer did not end within {request.timeout:g} seconds")
    headers = tuple((n, v) for n, v in response.headers.multi_items() if n.lower() not in _LEFT_OUT)
    return Kept(str(response.url), response.status_code, headers, bytes(body), time.time(), "")


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds until the source wants to be asked again; None where it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    with contextlib.suppress(ValueError, TypeError):
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0)
    return None


@cache
def _client() -> httpx2.Client:
    """One client a process: connections are used again, proxies and CAs come from the usual variables."""
    nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx2.Client(cookies=nothing, follow_redirects=False, limits=limits, timeout=None)


def close_client() -> None:
    """Close the connections of this process, before others are forked from it."""
    if _client.cache_info().currsize:
        _client().close()
        _client.cache_clear()
