"""Responses and ASGI applications, run without a server."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pybuild.render.responses import Answer, is_application, is_response, plain_answer, run_application


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse(f"{request.url.path} {await request.body()!r}")


async def bare(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": [(b"X-Odd", b"\xe9")]})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body"})


def handler(request: Request, ctx: object) -> None: ...


@pytest.mark.parametrize(
    "value, expected",
    [
        (Endpoint, True),
        (Starlette(), True),
        (bare, True),
        (partial(bare), True),
        (handler, False),
        (PlainTextResponse, False),
        (lambda a, b, c: None, False),
        ("text", False),
        (len, False),
    ],
)
def test_applications_are_known_by_their_parameters(value: object, expected: bool) -> None:
    assert is_application(value) is expected


@pytest.mark.parametrize(
    "value, expected", [(Response(), True), (bare, True), (Response, False), (None, False), (handler, False)]
)
def test_what_a_handler_may_return(value: object, expected: bool) -> None:
    assert is_response(value) is expected


def test_applications_see_the_request() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/a",
        "query_string": b"",
        "headers": [],
        "server": ("h", 80),
    }
    site = Starlette(routes=[Route("/a", lambda request: JSONResponse(str(request.url)))])
    assert asyncio.run(run_application(Endpoint, scope)).body == b"/a b''"
    assert asyncio.run(run_application(site, scope)).body == b'"http://h/a"'


def test_every_part_and_header_is_kept() -> None:
    assert asyncio.run(run_application(bare)) == Answer(418, b"a", "", (("x-odd", "é"),))


def test_what_hosts_set_themselves_is_left_out() -> None:
    response = PlainTextResponse("a", headers={"ETag": "1", "Date": "now", "Link": "<b>", "Location": "/c"})
    response.headers.append("link", "<d>")
    expected = Answer(
        200, b"a", "text/plain; charset=utf-8", (("link", "<b>, <d>"), ("location", "/c")), "/c"
    )
    assert plain_answer(response) == asyncio.run(run_application(response)) == expected


@pytest.mark.parametrize(
    ("name", "other", "repeated"),
    [
        ("Location", b"/d", "location"),
        ("Location", b"/c", ""),
        ("content-type", b"text/csv", "content-type"),
        ("Link", b"<d>", ""),
        ("Access-Control-Allow-Origin", b"https://b.example", "access-control-allow-origin"),
    ],
)
def test_what_may_be_there_once(name: str, other: bytes, repeated: str) -> None:
    headers = {"Location": "/c", "Link": "<b>", "Access-Control-Allow-Origin": "*"}
    response = PlainTextResponse("a", headers=headers)
    response.raw_headers.append((name.lower().encode(), other))
    answer = plain_answer(response)
    assert answer is not None and (answer.repeated, answer.location) == (repeated, "/c")


@pytest.mark.parametrize(
    "response",
    [
        StreamingResponse(iter([b"a"])),
        PlainTextResponse("a", background=BackgroundTask(print)),
        FileResponse(__file__),
        bare,
    ],
)
def test_what_must_be_run_has_no_plain_answer(response: object) -> None:
    assert plain_answer(response) is None


def test_a_background_task_runs_behind_the_response() -> None:
    seen: list[str] = []
    answer = asyncio.run(
        run_application(PlainTextResponse("a", background=BackgroundTask(seen.append, "ran")))
    )
    assert (answer.body, seen) == (b"a", ["ran"])


def test_a_request_ends_once_and_never_disconnects() -> None:
    messages: list[MutableMapping[str, Any]] = []

    async def listens(scope: Any, receive: Any, send: Any) -> None:
        messages.append(await receive())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.01)

    with pytest.raises(RuntimeError, match="it sent no response"):
        asyncio.run(run_application(listens))
    assert messages == [{"type": "http.request", "body": b"", "more_body": False}]
