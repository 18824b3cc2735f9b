"""From the head of a request to the bytes of its answer, by the rules and the manifest of one publication.

Owns the check of `Host`, ranges, and the memory of answers already made. The files of the manifest are all
that can be asked for: a path that is not among them never reaches the disk. Knows no socket and no clock.
Sources: `rules.evaluate` for what is answered; RFC 9110 §14.2 (Range), §15.5.20 (421).

The bytes of published files, read so that nothing but them can be read.

Owns the opening of files below an output. A symlink on the way, or a file that is not what was published, is
not opened. Knows no request.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from pybuild.publish import Output
from pybuild.publish.publication import Publication, load_publication
from pybuild.records import File, Headers
from pybuild.rules.evaluate import Outcome, ProxyCall, Request, evaluate
from pybuild.serve.http import Head, Refused, format_head, parse_head, span_of

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent for one request, and what happens then."""

    status: int
    payload: bytes  # the head, with the body behind it unless `file` or `call` brings that
    close: bool
    head: Head | None = None  # of the request; None where it could not be read
    file: File | None = None  # streamed from `start` to `stop`
    start: int = 0
    stop: int = 0
    call: ProxyCall | None = None
    headers: Headers = ()  # that rules add to what a proxy brings


class Answers:
    """The answers of one publication."""

    def __init__(self, publication: Publication, hosts: Iterable[str] | None) -> None:
        """`hosts` are names in lower case, without a port, answered besides this machine's own; None is any."""
        self._publication = publication
        self._hosts = None if hosts is None else frozenset(hosts)
        self._known: dict[bytes, Answer] = {}
        self._size = 0

    @property
    def publication(self) -> Publication:
        return self._publication

    def of(self, raw: bytes) -> Answer:
        """Answer a request by its head as it came, with the empty line at its end."""
        known = self._known.get(raw)
        if known is not None:
            return known
        try:
            answer = self._make(raw)
        except Stale:
            text = "503: this file is just being replaced, or was changed since the export; export again\n"
            return plain(503, text, close=True, more=(("Retry-After", "1"),))
        self._remember(raw, answer)
        return answer

    def _remember(self, raw: bytes, answer: Answer) -> None:
        self._size += len(raw) + len(answer.payload) + 500  # roughly what the objects around them take
        if self._size > MEMORY:
            self._known.clear()
            self._size = 0
        self._known[raw] = answer

    def _make(self, raw: bytes) -> Answer:
        head = parse_head(raw)
        if isinstance(head, Refused):
            return refusal(head.status)
        host = next(iter(head.request.lines("host")), "localhost")
        if self._hosts is not None and not is_local(host, self._hosts):
            text = "421: this preview does not answer for that host; start it with --allowed-host\n"
            return plain(421, text, close=True)
        outcome = evaluate(self._publication.rules, head.request, self._publication.files)
        if outcome.proxy and self._is_foreign(head.request):
            return plain(403, "403: another site may not send this\n", close=True)
        if outcome.proxy:
            return Answer(200, b"", True, head, call=outcome.proxy, headers=outcome.headers)
        return self._filed(head, outcome) if outcome.path else _texted(head, outcome)

    def _is_foreign(self, request: Request) -> bool:
        """Whether a page of another site sends what may change something, with the secrets of a proxy."""
        origin = next(iter(request.lines("origin")), "")
        local = not origin or is_local(origin.partition("://")[2], self._hosts or frozenset())
        return request.method not in {"GET", "HEAD"} and not local

    def _filed(self, head: Head, outcome: Outcome) -> Answer:
        """Answer with a file or a part of it."""
        file = self._publication.files[outcome.path]
        status, headers, start, stop = outcome.status, outcome.headers, 0, file.size
        if status == 200:
            headers = (*headers, ("Accept-Ranges", "bytes"))
            span = span_of(head.request, file.size, outcome.header("etag"))
            if span and span[0] >= span[1]:
                unmet = (("Content-Range", f"bytes */{file.size}"),)
                return _texted(head, Outcome(416, (*_without_type(headers), *unmet), text="416\n"))
            if span:
                status, (start, stop) = 206, span
                headers = (*headers, ("Content-Range", f"bytes {start}-{stop - 1}/{file.size}"))
        top = _top(head, status, headers, stop - start)
        if head.request.method == "HEAD":
            return Answer(status, top, head.close, head)
        if file.size > SMALL:
            return Answer(status, top, head.close, head, file, start, stop)
        body = read_file(self._publication.output.out, file)[start:stop]
        return Answer(status, top + body, head.close, head)


def _without_type(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() not in {"content-type", "etag"})


def _texted(head: Head, outcome: Outcome) -> Answer:
    body = b"" if outcome.status == 304 else outcome.text.encode()
    typed = (("Content-Type", _TEXT),) if body and not outcome.header("content-type") else ()
    size = None if outcome.status == 304 else len(body)
    top = _top(head, outcome.status, (*typed, *outcome.headers), size)
    payload = top if head.request.method == "HEAD" else top + body
    return Answer(outcome.status, payload, head.close, head)


def _top(head: Head, status: int, headers: Headers, size: int | None) -> bytes:
    length = (("Content-Length", str(size)),) if size is not None else ()
    ending = (("Connection", "close"),) if head.close else ()
    return format_head(status, (*headers, *length, *ending))


def plain(status: int, text: str, *, close: bool, more: Headers = ()) -> Answer:
    """An answer of text alone."""
    ending = (("Connection", "close"),) if close else ()
    headers = (("Content-Type", _TEXT), *more, ("Content-Length", str(len(text))), *ending)
    return Answer(status, format_head(status, headers) + text.encode(), close)


def refusal(status: int) -> Answer:
    """The answer to what is no request, or too large a one."""
    return plain(status, f"{status}\n", close=True)


def is_local(host: str, allowed: frozenset[str] = frozenset()) -> bool:
    """Whether a `Host` names this machine or one of `allowed`, so that no foreign page can read through DNS."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.lower()
    return name in {"localhost", "127.0.0.1", "[::1]"} or name.endswith(".localhost") or name in allowed


View = Callable[[Publication], Publication]


class Source:
    """The publication that is served, read anew when another export takes its place."""

    def __init__(
        self,
        publication: Publication,
        hosts: Iterable[str] | None,
        view: View = lambda publication: publication,
    ) -> None:
        """`view` is what is made of each publication before it is served."""
        self._hosts = None if hosts is None else tuple(hosts)
        self._view = view
        self._output = publication.output
        self._manifest = publication.output.manifest
        self._seen = self._look()
        self._answers = Answers(view(publication), self._hosts)

    @property
    def output(self) -> Output:
        return self._output

    def answers(self) -> Answers:
        """Those of the newest publication that can be read."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            publication, _ = load_publication(self._output)
            self._answers = Answers(self._view(publication), self._hosts) if publication else self._answers
        return self._answers

    def _look(self) -> tuple[int, int, int]:
        try:
            seen = self._manifest.stat()
        except OSError:
            return 0, 0, 0
        return seen.st_mtime_ns, seen.st_ino, seen.st_size
