"""A client that no server can keep waiting, and what it makes of answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from pybuild.records import File
from pybuild.rules.evaluate import Outcome, Request
from pybuild.verify.client import Answer, ClientOptions, ask_all
from pybuild.verify.compare import Seen, differences
from pybuild.verify.probes import Probe

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
WANTED = Outcome(200, (("Content-Type", "text/html"),), path="a.html")
FILES = {"a.html": File("a.html", "app", "0" * 64, 10)}


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says what `talk` says to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            for _ in range(3):
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    with suppress(OSError):
                        talk(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def asked(origin: str, probe: Probe, **options: float) -> Answer:
    answers: list[Answer] = []
    ask_all(origin, [(probe,)], ClientOptions(jobs=1, **options), lambda _, answer: answers.append(answer))
    return answers[0]


def test_a_body_without_end_is_read_to_one_byte_more() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        while True:
            connection.sendall(b"x" * 1000)

    with serving(endless) as origin:
        answer = asked(origin, Probe(Request("/"), WANTED, WANTED, longest=10))
    assert isinstance(answer, Seen) and answer.body == b"x" * 11


def test_an_answer_that_drips_ends_with_the_time_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pybuild.verify.client._PAUSE", 0.0)

    def dripping(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with serving(dripping) as origin:
        answer = asked(origin, Probe(Request("/"), WANTED, WANTED, longest=10**6), timeout=0.3)
    assert answer == "the answer is not whole after 0.3 seconds"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("x-robots-tag", "googlebot: noindex", "search engines leave it out"),
        ("refresh", "0; url=/", "browsers are sent on"),
        ("cache-control", "private, max-age=0", "no cache between may keep it"),
        ("cache-control", "no-store", "no cache between may keep it"),
        ("cache-control", "public, max-age=0, must-revalidate", ""),
        ("x-robots-tag", "max-snippet:20", ""),
    ],
)
def test_headers_that_do_harm(name: str, value: str, told: str) -> None:
    seen = Seen(200, {"content-type": "text/html", name: value}, b"")
    found = [
        one.what
        for one in differences(Probe(Request("/"), WANTED, WANTED), seen, FILES, "http://a/")
        if one.kind == "added"
    ]
    assert [told in one for one in found] == [True] * bool(told)
    said = Outcome(200, (*WANTED.headers, (name, value)), path="a.html")
    probe = Probe(Request("/"), said, said)
    assert [one.kind for one in differences(probe, seen, FILES, "http://a/")] == ["body"]


def test_a_missing_etag_is_a_difference() -> None:
    probe = Probe(Request("/"), WANTED, WANTED, revalidates=True)
    found = differences(probe, Seen(200, {}, b""), FILES, "http://a/")
    assert [one.what for one in found] == ["has no ETag, so that a visitor loads it whole every time"]
