"""What a route handler is given and returns.

Owns the request that has no data, two response classes Starlette lacks, and the ways out of a page
(`redirect`, `not_found`). Everything else is Starlette's own. Knows no file and no route.
Source: Starlette's `requests` and `responses`; RFC 9110 §15.4 for redirects, RFC 7763 for text/markdown.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from types import FrameType
from typing import Any, NoReturn

from starlette.datastructures import URL, FormData, Headers, QueryParams
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.types import Message, Receive

__all__ = [
    "BuildRequest",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "MarkdownResponse",
    "NotFound",
    "PlainTextResponse",
    "RedirectResponse",
    "Redirected",
    "Request",
    "Response",
    "StreamingResponse",
    "XMLResponse",
    "not_found",
    "permanent_redirect",
    "redirect",
]


class MarkdownResponse(Response):
    """`text/markdown; charset=utf-8` (RFC 7763)."""

    media_type = "text/markdown"


class XMLResponse(Response):
    """`application/xml; charset=utf-8`."""

    media_type = "application/xml; charset=utf-8"


class Redirected(BaseException):
    """Raised by `redirect`; not an `Exception`, so that `except Exception` in a handler lets it pass."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{status} {url}")
        self.url = url
        self.status = status


class NotFound(BaseException):
    """Raised by `not_found`."""


def redirect(url: str | URL, status: int = 307) -> NoReturn:
    """Answer with a redirect to `url` (307 unless `status` says 301, 302, 303 or 308). Does not return."""
    raise Redirected(_address(url), status)


def permanent_redirect(url: str | URL) -> NoReturn:
    """Answer with a permanent redirect (308) to `url`. Does not return."""
    raise Redirected(_address(url), 308)


def _address(url: str | URL) -> str:
    if not isinstance(url, str | URL):
        raise TypeError(f"a redirect leads to an address, not to {url!r}")
    str(url).encode()  # a lone surrogate is refused at the line of the caller
    return str(url)


def not_found() -> NoReturn:
    """Say that nothing answers these params. Does not return; for an enumerated param it is an error."""
    raise NotFound


OnRead = Callable[[str, FrameType], None]


class BuildRequest(Request):
    """A GET request without headers, cookies, query or body; `on_read` hears of each attempt to read them."""

    def __init__(self, url: str, path_params: Mapping[str, Any], on_read: OnRead) -> None:
        scheme, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        name, _, port = host.partition(":")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": scheme,
            "server": (name, int(port) if port else {"http": 80}.get(scheme, 443)),
            "client": None,
            "root_path": "",
            "path": "/" + path,
            "raw_path": ("/" + path).encode(),
            "query_string": _NoQuery(),
            "headers": _NoHeaders(),
            "path_params": dict(path_params),
        }
        scope["headers"].on_read = scope["query_string"].on_read = self._report_scope
        super().__init__(_Scope(scope, self._report_scope), _nothing_arrives)
        self._on_read = on_read
        self._address = url

    def _report_use(self, what: str) -> None:
        self._on_read(what, sys._getframe(2))

    def _report_scope(self, what: str) -> None:
        """Report who asks for what no build knows: neither Starlette on its own account nor whoever runs the handler."""
        frame: FrameType | None = sys._getframe(2)
        while frame and str(frame.f_globals.get("__name__")).startswith(("starlette.", __name__)):
            if frame.f_code.co_qualname.startswith(("URL.", "StreamingResponse.")):
                return
            frame = frame.f_back
        if frame and not str(frame.f_globals.get("__name__")).startswith("pybuild."):
            self._on_read(what, frame)

    @property
    def url(self) -> URL:
        found = _BuildURL(self._address)
        found.on_read = self._report_use
        return found

    @property
    def receive(self) -> Receive:
        """Give one empty message; a build never disconnects."""
        self._report_use("body")
        left: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            return left.pop() if left else await _nothing_arrives()

        return receive

    @property
    def headers(self) -> Headers:
        self._report_use("headers")
        return Headers(raw=[])

    @property
    def cookies(self) -> dict[str, str]:
        self._report_use("cookies")
        return {}

    @property
    def query_params(self) -> QueryParams:
        self._report_use("query")
        return QueryParams()

    @property
    def client(self) -> None:
        self._report_use("client")

    async def body(self) -> bytes:
        self._report_use("body")
        return b""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        self._report_use("body")
        yield b""

    async def json(self) -> Any:
        self._report_use("body")
        return None

    def form(self, **limits: Any) -> Any:
        self._report_use("body")
        return _EmptyForm()


class _BuildURL(URL):
    """The address of a page, which has no query."""

    on_read: Callable[[str], None] | None = None

    @property
    def query(self) -> str:
        if self.on_read:
            self.on_read("query")
        return super().query


class _NoHeaders(list[tuple[bytes, bytes]]):
    """The empty headers of a scope, which report who looks into them, also by a copy of the scope."""

    on_read: Callable[[str], None] | None = None

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        if self.on_read:
            self.on_read("headers")
        return super().__iter__()

    def __len__(self) -> int:
        if self.on_read:
            self.on_read("headers")
        return super().__len__()

    def __contains__(self, pair: object) -> bool:
        if self.on_read:
            self.on_read("headers")
        return super().__contains__(pair)

    def __repr__(self) -> str:
        if self.on_read:
            self.on_read("headers")
        return super().__repr__()


class _NoQuery(bytes):
    """The empty query of a scope, which reports who looks into it, also by a copy of the scope."""

    on_read: Callable[[str], None] | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        if self.on_read:
            self.on_read("query")
        return super().decode(encoding, errors)

    def __len__(self) -> int:
        if self.on_read:
            self.on_read("query")
        return super().__len__()

    def __repr__(self) -> str:
        if self.on_read:
            self.on_read("query")
        return super().__repr__()


class _Scope(dict[str, Any]):
    """An ASGI scope that reports who reads what no build knows."""

    _EMPTY: Mapping[str, str] = {
        "headers": "headers",
        "query_string": "query",
        "client": "client",
    }

    def __init__(self, values: Mapping[str, Any], report: Callable[[str], None]) -> None:
        super().__init__(values)
        self._report = report

    def __getitem__(self, key: str) -> Any:
        if key in self._EMPTY:
            self._report(self._EMPTY[key])
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - it is this method that reports


class _EmptyForm:
    """What `request.form()` gives: to be awaited, or entered with `async with`."""

    def __await__(self) -> Generator[Any, None, FormData]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> FormData:
        return FormData()

    async def __aexit__(self, *error: object) -> None:
        return None


async def _nothing_arrives() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("a build never disconnects")
