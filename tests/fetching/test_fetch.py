"""What a fetch asks, what it keeps, and what it says when a source fails."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx2
import pytest
from fetch_source import Source, source

from pybuild.fetching import (
    FetchFailed,
    Policy,
    Session,
    begin_export,
    begin_job,
    end_job,
    fetch,
    fetch_async,
    holds,
)
from pybuild.fetching import ask as asking
from pybuild.fetching.failure import shown_url

__all__ = ["source"]
Begin = Callable[..., Session]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Begin an export, as a worker does; options are those of the session and of the page."""
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)

    def start(fetch_cache: str = "auto", **options: object) -> Session:
        session = Session(tmp_path / "fetch", secrets.token_hex(8), **options)  # type: ignore[arg-type]
        begin_export(session)
        begin_job(Policy(fetch_cache=fetch_cache))
        return session

    yield start
    begin_export(None)


def failure(url: str, **options: object) -> str:
    with pytest.raises(FetchFailed) as caught:
        fetch(url, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_equal_calls_are_one_request_an_export(source: Source, begin: Begin) -> None:
    url = source.text("/a", "one")
    begin()
    assert [fetch(url).text for _ in range(3)] == ["one"] * 3
    assert fetch(url, headers={"Accept": "text/plain"}).text == "one"
    assert source.asked["/a"] == 2


def test_the_answer_is_one_of_httpx(source: Source, begin: Begin) -> None:
    url = source.text("/a.json", '{"a": [1]}', Content_Type="application/json", Set_Cookie="a=b")
    begin()
    answer = fetch(url)
    assert isinstance(answer, httpx2.Response)
    assert (answer.status_code, answer.json(), str(answer.url)) == (200, {"a": [1]}, url)
    assert (answer.headers["content-type"], "set-cookie" in answer.headers) == ("application/json", False)


def test_another_worker_of_the_same_export_asks_nobody(source: Source, begin: Begin) -> None:
    url = source.text("/a", "one")
    session = begin()
    fetch(url)
    source.text("/a", "two")
    begin_export(session)
    assert (fetch(url).text, source.asked["/a"]) == ("one", 1)


def test_side_by_side_one_asks_and_the_others_wait(source: Source, begin: Begin) -> None:
    def slow(_: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.2)
        return 200, {}, b"x"

    source.replies["/slow"] = slow
    begin()
    threads = [threading.Thread(target=fetch, args=(source.url("/slow"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.asked["/slow"] == 1


def test_async_calls_run_side_by_side(source: Source, begin: Begin) -> None:
    urls = [source.text(f"/{n}", str(n)) for n in range(5)]
    begin()

    async def all_of_them() -> list[str]:
        return [answer.text for answer in await asyncio.gather(*map(fetch_async, urls))]

    assert asyncio.run(all_of_them()) == ["0", "1", "2", "3", "4"]


def test_a_later_export_asks_with_validators_and_takes_304(source: Source, begin: Begin) -> None:
    def tagged(handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        same = handler.headers.get("If-None-Match") == '"1"'
        return (304, {"ETag": '"1"'}, b"") if same else (200, {"ETag": '"1"'}, b"body")

    source.replies["/tagged"] = tagged
    for _ in range(3):
        begin()
        assert fetch(source.url("/tagged")).text == "body"
    assert [seen.get("if-none-match") for seen in source.seen] == [None, '"1"', '"1"']


@pytest.mark.parametrize(
    ("mode", "revalidate", "requests"),
    [
        ("auto", None, 2),
        ("auto", 3600, 1),
        ("auto", False, 1),
        ("auto", 0, 2),
        ("force-cache", None, 1),
        ("only-cache", None, 1),
        ("default-cache", None, 1),
        ("default-cache", 0, 2),
        ("no-store", 3600, 2),
        ("force-no-store", None, 2),
        ("only-no-store", None, 2),
        ("default-no-store", None, 2),
        ("default-no-store", 3600, 1),
    ],
)
def test_how_long_an_answer_is_used(
    source: Source, begin: Begin, mode: str, revalidate: int | None, requests: int
) -> None:
    url = source.text("/a", "one")
    for _ in range(2):
        begin(mode)
        fetch(url, revalidate=revalidate)
    assert source.asked["/a"] == requests


@pytest.mark.parametrize(("mode", "revalidate"), [("only-no-store", 60), ("only-cache", 0)])
def test_a_call_that_the_module_forbids(source: Source, begin: Begin, mode: str, revalidate: int) -> None:
    begin(mode)
    with pytest.raises(ValueError, match=f'fetch_cache = "{mode}" forbids it'):
        fetch(source.text("/a", "one"), revalidate=revalidate)


def test_an_old_answer_used_once_stays_that_of_the_export(source: Source, begin: Begin) -> None:
    url = source.text("/a", "old")
    begin()
    fetch(url)
    source.text("/a", "new")
    session = begin()
    assert fetch(url, revalidate=3600).text == "old"
    begin_export(session)
    assert fetch(url).text == "old"


def test_no_cache_asks_anew(source: Source, begin: Begin) -> None:
    url = source.text("/a", "one")
    for _ in range(2):
        begin(is_read=False)
        fetch(url, revalidate=False)
    assert source.asked["/a"] == 2


def test_offline_uses_what_is_kept_and_nothing_else(source: Source, begin: Begin) -> None:
    url = source.text("/a", "one")
    begin()
    fetch(url)
    begin(offline=True)
    assert fetch(url).text == "one"
    assert failure(source.url("/b")) == f"{source.url('/b')} is not kept, and --offline asks nobody"
    assert source.asked["/a"] == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_pass_is_tried_again(source: Source, begin: Begin, status: int) -> None:
    url = source.text("/a", "", status)
    begin()
    assert failure(url, retries=2) == f"{url} answered {status} (3 tries)"
    assert source.asked["/a"] == 3


def test_what_will_not_pass_is_asked_once_an_export(source: Source, begin: Begin) -> None:
    begin()
    url = source.url("/none")
    assert [failure(url), failure(url)] == [f"{url} answered 404"] * 2
    assert source.asked["/none"] == 1


def test_the_source_says_when_to_come_back(
    source: Source, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(asking.time, "sleep", waits.append)
    begin()
    failure(source.text("/a", "", 503, Retry_After="7"), retries=2)
    assert waits == [7, 7]


def test_nobody_waits_longer_than_the_page_may_take(source: Source, begin: Begin) -> None:
    begin()
    begin_job(Policy(deadline=time.monotonic() + 1))
    url = source.text("/a", "", 503, Retry_After="30")
    assert failure(url) == f"{url} answered 503"


def test_an_endless_answer_ends(source: Source, begin: Begin) -> None:
    source.replies["/endless"] = lambda _: (200, {"X-Endless": "1"}, b"")
    begin()
    url = source.url("/endless")
    assert failure(url, max_bytes=10_000) == f"{url} sends more than 10,000 bytes"
    assert "did not end within 0.3 seconds" in failure(url, timeout=0.3, retries=0)


def test_redirects_end_and_carry_no_credentials_elsewhere(source: Source, begin: Begin) -> None:
    elsewhere = f"http://localhost:{source.port}/b"
    begin()
    loop = source.text("/loop", "", 302, Location="/loop")
    assert failure(loop) == f"{loop} redirects more than 10 times"
    assert source.asked["/loop"] == 11
    url = source.text("/a", "", 302, Location=elsewhere)
    source.text("/b", "there")
    secret = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Api-Key": "k", "Accept": "text/plain"}
    assert str(fetch(url, headers=secret).url) == elsewhere
    assert {"authorization", "cookie", "x-api-key"} & source.seen[-1].keys() == set()
    assert source.seen[-1]["accept"] == "text/plain"
    source.text("/c", "", 302, Location="/b")
    fetch(source.url("/c"), headers=secret)
    assert source.seen[-1]["authorization"] == "Bearer x"


def test_answers_to_credentials_never_come_to_the_disk(source: Source, begin: Begin) -> None:
    url = source.text("/a", "private-answer")
    session = begin()
    for _ in range(2):
        begin_export(session)
        fetch(url, headers={"Authorization": "Bearer token-of-mine"})
        fetch(url, headers={"X-Auth": "token-of-mine"})
        fetch(f"{url}?api_key=token-of-mine")
    kept = (
        b"".join(file.read_bytes() for file in session.folder.rglob("*")) if session.folder.exists() else b""
    )
    assert b"private-answer" not in kept
    assert b"token-of-mine" not in kept
    assert not end_job().is_repeatable
    assert [*source.asked.values()] == [2, 1]
    shutil.rmtree(session.private)


def test_cookies_of_a_source_are_not_sent_back(source: Source, begin: Begin) -> None:
    begin()
    fetch(source.text("/a", "x", Set_Cookie="id=1; Path=/"))
    fetch(source.text("/b", "x"))
    assert "cookie" not in source.seen[-1]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/", "/a", "", "http://"])
def test_other_addresses_are_refused(begin: Begin, url: str) -> None:
    begin()
    assert "no address of http or https" in failure(url)


def test_the_site_itself_does_not_answer(begin: Begin) -> None:
    begin(own_url="https://example.com/docs")
    assert failure("https://example.com/docs/api/a") == (
        "https://example.com/docs/api/a is an address of this site, and nothing listens there while it is exported"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pass@a.example/x?token=abc&page=2#f", "https://a.example/x?token=***&page=2"),
        ("https://a.example/x?q=1", "https://a.example/x?q=1"),
    ],
)
def test_what_is_secret_in_an_address_is_not_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_whether_an_answer_holds(source: Source, begin: Begin) -> None:
    url = source.text("/a", "one")
    begin()
    fetch(url)
    (key, digest), *_ = end_job().calls.items()
    assert holds(begin(), key, digest)
    source.text("/a", "two")
    assert not holds(begin(), key, digest)
    assert not holds(begin(), "0" * 64, digest)


def test_a_damaged_answer_is_asked_for_again(source: Source, begin: Begin) -> None:
    url = source.text("/a", "one")
    session = begin()
    fetch(url)
    (file,) = [file for file in session.folder.iterdir() if "." not in file.name]
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    begin()
    assert fetch(url, revalidate=False).text == "one"
