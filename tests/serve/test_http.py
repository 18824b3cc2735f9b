"""Heads of requests, and ranges."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.rules.evaluate import Request
from pybuild.serve.http import MAX_HEAD, Head, Refused, format_fields, format_head, parse_head, span_of


def head(*lines: bytes) -> bytes:
    return b"\r\n".join((*lines, b"", b""))


HOST = b"Host: localhost"


def test_a_request_is_read() -> None:
    raw = head(b"GET /a%20b?x=1 HTTP/1.1", b"Host:  localhost:1 ", b"Accept: a, b", b"accept:\tc", b"Empty:")
    fields = (("Host", "localhost:1"), ("Accept", "a, b"), ("accept", "c"), ("Empty", ""))
    assert parse_head(raw) == Head(Request("/a%20b?x=1", "GET", fields), close=False)


def test_an_address_may_come_raw_and_whole() -> None:
    raw = head("GET http://b.example:8/é?q HTTP/1.1".encode(), HOST)
    assert parse_head(raw) == Head(Request("/é?q", "GET", (("Host", "b.example:8"),)), close=False)


@pytest.mark.parametrize(
    ("line", "fields", "closes"),
    [
        (b"GET / HTTP/1.1", [HOST, b"Connection: keep-alive, Close"], True),
        (b"GET / HTTP/1.0", [], True),
        (b"GET / HTTP/1.7", [HOST], False),
    ],
)
def test_when_the_connection_ends(line: bytes, fields: list[bytes], closes: bool) -> None:
    parsed = parse_head(head(line, *fields))
    assert isinstance(parsed, Head)
    assert parsed.close is closes


REFUSED = {
    "no-host": (400, head(b"GET / HTTP/1.1")),
    "two-hosts": (400, head(b"GET / HTTP/1.1", HOST, HOST)),
    "no-version": (400, head(b"GET /", HOST)),
    "two-spaces": (400, head(b"GET  / HTTP/1.1", HOST)),
    "nul": (400, head(b"GET /\0 HTTP/1.1", HOST)),
    "control": (400, head(b"GET /\x7f HTTP/1.1", HOST)),
    "bare-cr": (400, head(b"GET / HTTP/1.1", HOST, b"A: b\rc")),
    "bare-lf": (400, head(b"GET / HTTP/1.1", HOST + b"\nA: b")),
    "space-before-colon": (400, head(b"GET / HTTP/1.1", HOST, b"A : b")),
    "folded": (400, head(b"GET / HTTP/1.1", HOST, b"A: b", b" c")),
    "star": (400, head(b"OPTIONS * HTTP/1.1", HOST)),
    "relative": (400, head(b"GET a HTTP/1.1", HOST)),
    "two-lengths": (400, head(b"POST / HTTP/1.1", HOST, b"Content-Length: 1", b"Content-Length: 2")),
    "signed-length": (400, head(b"POST / HTTP/1.1", HOST, b"Content-Length: +1")),
    "chunked": (411, head(b"POST / HTTP/1.1", HOST, b"Transfer-Encoding: chunked")),
    "large-body": (413, head(b"POST / HTTP/1.1", HOST, b"Content-Length: 99999999999999999999999")),
    "long-line": (414, head(b"GET /" + b"a" * 9000 + b" HTTP/1.1", HOST)),
    "long-head": (431, head(b"GET / HTTP/1.1", HOST, b"A: " + b"a" * MAX_HEAD)),
    "many-fields": (431, head(b"GET / HTTP/1.1", HOST, *[b"A: b"] * 100)),
    "http2": (505, head(b"GET / HTTP/2.0", HOST)),
    "preface": (505, b"PRI * HTTP/2.0\r\n\r\n"),
    "tls": (400, b"\x16\x03\x01\x02\x00\x01\r\n\r\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    status, raw = REFUSED[name]
    assert parse_head(raw) == Refused(status)


@given(st.binary(max_size=300))
@settings(derandomize=True, max_examples=300)
def test_whatever_comes_is_read_or_refused(raw: bytes) -> None:
    assert isinstance(parse_head(raw + b"\r\n\r\n"), Head | Refused)


@given(st.text(max_size=40))
@settings(derandomize=True, max_examples=300)
def test_no_value_leaves_its_line(value: str) -> None:
    assert format_fields([("A", value)]).count(b"\r\n") == 2
    assert format_fields([("A", value)]).count(b"\n") == 2


def test_a_head_is_printed() -> None:
    assert format_head(308, [("Location", "/caf\udcc3\udca9?x=%20 y")]) == (
        b"HTTP/1.1 308 Permanent Redirect\r\nLocation: /caf%C3%A9?x=%20 y\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=5-99", (5, 10)),
        ("Bytes= 5-6", (5, 7)),
        ("bytes=10-", (10, 10)),
        ("bytes=-0", (10, 0)),
        ("bytes=99999999999999999999999-", (10**18 - 1, 10)),
        ("bytes=3-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges(value: str, span: tuple[int, int] | None) -> None:
    assert span_of(Request("/", "GET", (("Range", value),)), 10, '"t"') == span


@pytest.mark.parametrize(
    ("method", "condition", "honoured"),
    [
        ("GET", '"t"', True),
        ("GET", 'W/"t"', False),
        ("GET", "Sat, 21 Nov 2026 01:00:00 GMT", False),
        ("HEAD", '"t"', False),
    ],
)
def test_when_a_range_counts(method: str, condition: str, honoured: bool) -> None:
    request = Request("/", method, (("Range", "bytes=0-1"), ("If-Range", condition)))
    assert (span_of(request, 10, '"t"') is not None) is honoured


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
@settings(derandomize=True, max_examples=200)
def test_a_range_is_a_slice(size: int, first: int, last: int) -> None:
    body = bytes(range(size))
    span = span_of(Request("/", "GET", (("Range", f"bytes={first}-{last}"),)), size, "")
    assert (body[slice(*span)] if span else None) == (body[first : last + 1] if first <= last else None)
