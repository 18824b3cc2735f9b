"""Requests and answers as bytes: HTTP/1.1 heads parsed and printed, and the ranges they ask for.

Owns the syntax, and what of it is refused with which status. Knows no file and no socket.
Sources: RFC 9112 §2-§6 (messages), §3.2 (Host), RFC 9110 §14 (ranges), §13.1.5 (If-Range).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from pybuild.rules.evaluate import Request

MAX_LINE = 8 * 1024  # bytes of the request line
MAX_HEAD = 32 * 1024  # bytes of the request line and all fields
MAX_FIELDS = 100
MAX_BODY = 1024 * 1024  # bytes; only proxies look at bodies
END = b"\r\n\r\n"
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rb"(%b) ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])" % _TOKEN)
_FIELD = re.compile(
    rb"(%b):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*" % _TOKEN
)
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.I)
_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.I)
_DIGITS = 18  # of a number in a range; more is past the end of any file


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one request."""

    request: Request
    close: bool  # whether the connection ends with the answer
    body_size: int = 0  # bytes that follow
    expects: bool = False  # the client waits for "100 Continue" before it sends them


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is not answered but ended; the connection closes."""

    status: int


def parse_head(raw: bytes) -> Head | Refused:
    """Read a request line and its fields, with the empty line at their end."""
    line, *fields = raw.removesuffix(END).split(b"\r\n")
    found = _LINE.fullmatch(line)
    if len(line) > MAX_LINE:
        return Refused(414)
    if len(raw) > MAX_HEAD or len(fields) > MAX_FIELDS:
        return Refused(431)
    pairs = [_FIELD.fullmatch(field) for field in fields]
    if found is None or not all(pairs):
        return Refused(400)
    if found[3] != b"1":
        return Refused(505)
    headers = tuple((pair[1].decode("ascii"), pair[2].decode("latin-1")) for pair in pairs if pair)
    target = found[2].decode("utf-8", "surrogateescape")
    return _framed(found[1].decode("ascii"), target, headers, is_old=found[4] == b"0")


def _framed(
    method: str, target: str, headers: tuple[tuple[str, str], ...], *, is_old: bool
) -> Head | Refused:
    """Check what says where the message ends and which host it is for."""
    request = Request(target, method, headers)
    hosts, lengths = request.lines("host"), set(request.lines("content-length"))
    if len(hosts) > 1 or (not hosts and not is_old) or len(lengths) > 1:
        return Refused(400)
    absolute = _ABSOLUTE.match(target)
    if absolute:  # RFC 9112 §3.2.2: its host counts, not that of the field
        rest = tuple(pair for pair in headers if pair[0].lower() != "host")
        request = Request(target[absolute.end() :] or "/", method, (("Host", absolute[1]), *rest))
    length = lengths.pop() if lengths else "0"
    if not request.target.startswith("/") or not re.fullmatch("[0-9]+", length):
        return Refused(400)
    if request.lines("transfer-encoding"):
        return Refused(411)
    if len(length) > _DIGITS or int(length) > MAX_BODY:
        return Refused(413)
    options = ",".join(request.lines("connection")).lower().replace(" ", "").split(",")
    expects = "100-continue" in (one.lower() for one in request.lines("expect"))
    return Head(request, is_old or "close" in options, int(length), expects and int(length) > 0)


def format_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Print a status line and fields. Bytes of an address that came raw leave percent-encoded."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii") + format_fields(headers)


def format_fields(headers: Iterable[tuple[str, str]]) -> bytes:
    """Print fields and the empty line behind them."""
    lines = (f"{name}: {_field_text(value)}\r\n" for name, value in headers)
    return ("".join(lines) + "\r\n").encode("ascii")


def _field_text(value: str) -> str:
    """A value with all but visible ASCII, spaces and tabs percent-encoded, so that it stays on its line."""
    if value.isascii() and value.isprintable():
        return value
    return quote(value, safe="".join(map(chr, range(0x20, 0x7F))) + "\t", errors="surrogateescape")


def span_of(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """The one range a GET asks for, as [start, stop); None for the whole; start >= stop cannot be met.

    Several ranges, other units and broken ones count as none, and so does a range whose If-Range is not `tag`.
    """
    said, conditions = request.lines("range"), request.lines("if-range")
    found = _RANGE.fullmatch(said[0]) if len(said) == 1 and request.method == "GET" else None
    if found is None or (conditions and conditions != [tag]):
        return None
    first, last = (int(text[:_DIGITS]) if text else None for text in found.groups())
    if first is None:
        return None if last is None else (max(size - last, 0), size if last else 0)
    if last is not None and last < first:
        return None
    return first, min(size, size if last is None else last + 1)
