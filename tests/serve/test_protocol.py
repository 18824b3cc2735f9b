"""Connections of the preview: what is no request, what is too much or too slow, and every other byte."""

import random
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from previewing import fetch, talk

from pybuild.serve.protocol import MAX_HEAD


def head(*lines: bytes) -> bytes:
    return b"\r\n".join((*lines, b"", b""))


HOST = b"Host: localhost"
REFUSED = {
    "no-host": (400, head(b"GET / HTTP/1.1")),
    "two-hosts": (400, head(b"GET / HTTP/1.1", HOST, HOST)),
    "old": (505, head(b"GET /", HOST)),
    "nul": (400, head(b"GET /\0 HTTP/1.1", HOST)),
    "control": (400, head(b"GET /\x7f HTTP/1.1", HOST)),
    "raw-letter": (400, head("GET /é HTTP/1.1".encode(), HOST)),
    "bare-cr": (400, head(b"GET / HTTP/1.1", HOST, b"A: b\rc")),
    "bare-lf": (400, head(b"GET / HTTP/1.1", HOST + b"\nA: b")),
    "space-before-colon": (400, head(b"GET / HTTP/1.1", HOST, b"A : b")),
    "folded": (400, head(b"GET / HTTP/1.1", HOST, b"A: b", b" c")),
    "star": (400, head(b"OPTIONS * HTTP/1.1", HOST)),
    "relative": (400, head(b"GET a HTTP/1.1", HOST)),
    "authority": (400, head(b"CONNECT a:1 HTTP/1.1", HOST)),
    "two-lengths": (400, head(b"POST / HTTP/1.1", HOST, b"Content-Length: 1", b"Content-Length: 2")),
    "signed-length": (400, head(b"POST / HTTP/1.1", HOST, b"Content-Length: +1")),
    "endless-length": (400, head(b"POST / HTTP/1.1", HOST, b"Content-Length: 99999999999999999999999")),
    "other-coding": (400, head(b"POST / HTTP/1.1", HOST, b"Transfer-Encoding: gzip")),
    "length-and-chunks": (
        400,
        head(b"POST / HTTP/1.1", HOST, b"Content-Length: 1", b"Transfer-Encoding: chunked"),
    ),
    "long-line": (414, head(b"GET /" + b"a" * 9000 + b" HTTP/1.1", HOST)),
    "endless-line": (414, b"GET /" + b"a" * 10_000),
    "long-head": (431, head(b"GET / HTTP/1.1", HOST, b"A: " + b"a" * (MAX_HEAD + 4096))),
    "endless-head": (431, b"GET / HTTP/1.1\r\nA: " + b"a" * 40_000),
    "many-fields": (431, head(b"GET / HTTP/1.1", HOST, *[b"A: b"] * 100)),
    "http2": (505, head(b"GET / HTTP/2.0", HOST)),
    "preface": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "tls": (400, b"\x16\x03\x01\x02\x00\x01\r\n\r\n"),
    "foreign": (421, head(b"GET / HTTP/1.1", b"Host: evil.example")),
    "foreign-address": (421, head(b"GET http://evil.example/ HTTP/1.1", HOST)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_ends_the_connection(port: int, name: str) -> None:
    status, raw = REFUSED[name]
    said = talk(port, raw)
    assert said.startswith(b"HTTP/1.1 %d " % status)
    assert said.count(b"HTTP/1.1") == 1


def test_a_head_of_many_small_parts_is_as_bounded(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(60):
            client.sendall(b"A: " + b"a" * 995 + b"\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 431 ")


def test_an_address_may_be_whole(port: int) -> None:
    raw = head(b"GET http://localhost:8/small.txt HTTP/1.1", b"Host: evil.example", b"Connection: close")
    assert talk(port, raw).endswith(b"\r\n\r\n0123456789")


@pytest.mark.parametrize(
    "lines",
    [(b"GET /small.txt HTTP/1.0",), (b"GET /small.txt HTTP/1.1", HOST, b"Connection: keep-alive, Close")],
)
def test_when_the_connection_ends(port: int, lines: tuple[bytes, ...]) -> None:
    assert talk(port, head(*lines)).endswith(b"\r\n\r\n0123456789")


def test_junk_behind_a_request_never_mixes_with_its_answer(port: int) -> None:
    said = talk(port, head(b"GET /big.bin HTTP/1.1", HOST) + b"\0junk\r\n\r\n")
    assert said.count(b"HTTP/1.1") <= 1


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([
    b"GET / HTTP/1.1\r\n", b"Host: localhost\r\n", b"\r\n", b"\r\n\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n",
    b"3\r\nabc\r\n0\r\n\r\n", b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"Connection: close\r\n", b"POST /up/x HTTP/1.1\r\n",
])), max_size=8))  # fmt: skip
@settings(derandomize=True, max_examples=300, deadline=None)
def test_whatever_comes_is_answered_or_refused(port: int, pieces: list[bytes]) -> None:
    """Each answer can be read to its end; behind the last one the connection closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"".join(pieces))
        client.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert not said or said.startswith((b"HTTP/1.1 ",))


def test_a_refusal_is_read_by_a_client_that_still_sends(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST /up/x HTTP/1.1\r\n" + HOST + b"\r\n" + b"Content-Length: 99999999\r\n\r\n")
        for _ in range(100):
            client.sendall(b"x" * 10_000)
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_past_the_limit_of_connections_new_ones_are_refused(port: int) -> None:
    waiting = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(1100)]
    for client in waiting[:20]:
        client.sendall(b"GET /")
    assert waiting[-1].recv(100).startswith(b"HTTP/1.1 503 ")
    for client in waiting:
        client.close()
    assert any(fetch(port, "/small.txt").status == 200 for _ in range(100))


@pytest.mark.slow
def test_a_request_must_be_there_after_ten_seconds(port: int) -> None:
    start = time.monotonic()
    assert talk(port, b"GET /small.txt HTTP/1.1\r\n", timeout=20).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - start > 9


def test_whatever_is_sent_the_next_client_is_answered(port: int) -> None:
    rng = random.Random(3)
    pieces = [b"GET / HTTP/1.1\r\n", HOST + b"\r\n", b"\r\n", b"\0", b"POST /up/x HTTP/1.1\r\n", b"Content-Length: 5\r\n", b"GET ",
              b"Range: bytes=1-\r\n", b"\xff" * 50, b"HTTP/9.9", b"a" * 9000, b"Expect: 100-continue\r\n", b"/big.bin"]  # fmt: skip
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"".join(rng.choices(pieces, k=rng.randint(1, 8))))
    assert fetch(port, "/small.txt").body == b"0123456789"
