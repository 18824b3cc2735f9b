"""The answer to a request, by the rules and the manifest of one publication.

Owns ranges, the memory of answers already made, and the opening of published files: the files of the manifest are
all that can be asked for, and a symlink on the way, or a file that is not what was published, is not opened.
Knows no socket and no clock.
Sources: `rules.evaluate` for what is answered; RFC 9110 §14 (ranges), §13.1.5 (If-Range), §8.6 (Content-Length).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from pybuild.publish import Output
from pybuild.publish.publication import Publication, load_publication
from pybuild.records import File, Headers
from pybuild.rules.evaluate import Outcome, ProxyCall, Request, evaluate

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Stale(Exception):
    """A file is not what the manifest says: it was changed by hand, or another export is just coming in."""


def open_file(out: Path, file: File) -> FileIO:
    """Open a published file below `out`, following no symlink. Raises `Stale`."""
    *folders, name = file.path.split("/")
    try:
        at = os.open(out, _FOLDER)
        for folder in folders:
            at = _step(at, folder, _FOLDER)
        at = _step(at, name, _REGULAR)
    except OSError as fault:
        raise Stale(file.path) from fault
    seen = os.fstat(at)
    if not stat.S_ISREG(seen.st_mode) or seen.st_size != file.size:
        os.close(at)
        raise Stale(file.path)
    return FileIO(at)


def _step(folder: int, name: str, flags: int) -> int:
    """Open `name` in an open folder and close that."""
    try:
        return os.open(name, flags, dir_fd=folder)
    finally:
        os.close(folder)


def read_file(out: Path, file: File) -> bytes:
    """The bytes of a published file. Raises `Stale` where they are others than were published."""
    with open_file(out, file) as stream:
        body = stream.read(file.size + 1)
    if hashlib.sha256(body).hexdigest() != file.digest:
        raise Stale(file.path)
    return body


SMALL = 64 * 1024  # bytes; larger bodies are streamed
MEMORY = 32 * 1024 * 1024  # bytes of answers that are remembered
_TEXT = "text/plain; charset=utf-8"
_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.I)
_DIGITS = 18  # of a number in a range; more is past the end of any file


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a published file that are read while they are sent."""

    file: File
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent for one request."""

    status: int
    headers: Headers = ()
    body: bytes | AsyncIterator[bytes] = b""
    part: Part | None = None  # in place of `body`
    call: ProxyCall | None = (
        None  # what is asked first, where a proxy answers; `headers` are those the rules add
    )


class Answers:
    """The answers of one publication."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication
        self._known: dict[Request, Answer] = {}
        self._size = 0

    @property
    def publication(self) -> Publication:
        return self._publication

    def of(self, request: Request) -> Answer:
        known = self._known.get(request)
        if known is not None:
            return known
        try:
            answer = self._make(request)
        except Stale:
            text = "503: this file is just being replaced, or was changed since the export; export again\n"
            return text_answer(503, text, ("Retry-After", "1"))
        sent = sum(len(name) + len(value) for name, value in request.headers) + len(request.target)
        body = len(answer.body) if isinstance(answer.body, bytes) else 0
        self._size += sent + body + 1000  # roughly what the objects around them take
        if self._size > MEMORY:
            self._known.clear()
            self._size = 0
        self._known[request] = answer
        return answer

    def _make(self, request: Request) -> Answer:
        outcome = evaluate(self._publication.rules, request, self._publication.files)
        if outcome.proxy:
            return Answer(200, outcome.headers, call=outcome.proxy)
        if not outcome.path:
            return outcome_answer(outcome)
        file = self._publication.files[outcome.path]
        answer, (start, stop) = file_answer(request, outcome, file.size)
        if answer.body or request.method == "HEAD":
            return answer
        if file.size > SMALL:
            return replace(answer, part=Part(file, start, stop))
        return replace(answer, body=read_file(self._publication.output.out, file)[start:stop])


def file_answer(request: Request, outcome: Outcome, size: int) -> tuple[Answer, tuple[int, int]]:
    """The answer with a file of `size` bytes or a range of it, and which bytes its body is, unless it has one."""
    if outcome.status != 200:
        return Answer(outcome.status, (*outcome.headers, ("Content-Length", str(size)))), (0, size)
    headers = (*outcome.headers, ("Accept-Ranges", "bytes"))
    span = span_of(request, size, outcome.header("etag"))
    if span and span[0] >= span[1]:
        kept = tuple(pair for pair in headers if pair[0].lower() not in {"content-type", "etag"})
        unmet = Outcome(416, (*kept, ("Content-Range", f"bytes */{size}")), text="416\n")
        return outcome_answer(unmet), (0, 0)
    start, stop = span or (0, size)
    length = ("Content-Length", str(stop - start))
    if span:
        length_and_range = (("Content-Range", f"bytes {start}-{stop - 1}/{size}"), length)
        return Answer(206, (*headers, *length_and_range)), span
    return Answer(200, (*headers, length)), (start, stop)


def outcome_answer(outcome: Outcome) -> Answer:
    """The answer of an outcome that names no file: its text, or nothing at all."""
    if outcome.status in {204, 304}:
        return Answer(outcome.status, outcome.headers)
    body = outcome.text.encode()
    kind = (("Content-Type", _TEXT),) if body and not outcome.header("content-type") else ()
    return Answer(outcome.status, (*kind, *outcome.headers, ("Content-Length", str(len(body)))), body)


def text_answer(status: int, text: str, *more: tuple[str, str]) -> Answer:
    """An answer of plain text, with these headers besides its own."""
    return outcome_answer(Outcome(status, more, text=text))


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


def is_local(host: str, allowed: frozenset[str] = frozenset()) -> bool:
    """Whether a `Host` names this machine or one of `allowed`, so that no foreign page can read through DNS."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.lower()
    return name in {"localhost", "127.0.0.1", "[::1]"} or name.endswith(".localhost") or name in allowed


View = Callable[[Publication], Publication]


class CurrentAnswers:
    """The answers of the publication in an output, read anew when another export takes its place."""

    def __init__(self, publication: Publication, view: View = lambda publication: publication) -> None:
        """`view` is what is made of each publication before it is served."""
        self._view = view
        self._output = publication.output
        self._seen = self._look()
        self._answers = Answers(view(publication))

    @property
    def output(self) -> Output:
        return self._output

    def answers(self) -> Answers:
        """Those of the newest publication that can be read."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            publication, _ = load_publication(self._output)
            self._answers = Answers(self._view(publication)) if publication else self._answers
        return self._answers

    def _look(self) -> tuple[int, int, int]:
        try:
            seen = self._output.manifest.stat()
        except OSError:
            return 0, 0, 0
        return seen.st_mtime_ns, seen.st_ino, seen.st_size
