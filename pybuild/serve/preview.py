"""The preview of a finished export: files, the backends of proxies, and who may ask them.

Owns the refusal of what other sites send to a proxy, and the reading of large files while they are sent. Knows no
socket.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from io import FileIO

from pybuild.rules.evaluate import Request
from pybuild.serve.app import Application, CutOff, Log, Visitor
from pybuild.serve.proxy import relay
from pybuild.serve.responses import Answer, CurrentAnswers, Stale, is_local, open_file, text_answer

_CHUNK = 256 * 1024  # bytes of a file that are read at once


def preview_app(current: CurrentAnswers, hosts: Iterable[str] | None, log: Log | None = None) -> Application:
    """The application that answers as the newest publication of `current` says.

    `hosts` are names in lower case, without a port, answered besides this machine's own; None is any.
    """
    allowed = frozenset(hosts or ())

    async def answer(request: Request, visitor: Visitor) -> Answer:
        made = current.answers().of(request)
        if made.call is not None:
            if is_foreign(request, lambda host: is_local(host, allowed)):
                return text_answer(403, "403: another site may not send this\n", ("Connection", "close"))
            return await relay(made.call, request, await visitor.body(), made.headers)
        return _open(made, current) if made.part else made

    return Application(answer, accepts=lambda host: hosts is None or is_local(host, allowed), log=log)


def is_foreign(request: Request, accepts: Callable[[str], bool]) -> bool:
    """Whether a page of another site sends what may change something, with the secrets of a proxy."""
    origin = next(iter(request.lines("origin")), "")
    local = not origin or accepts(origin.partition("://")[2])
    return request.method not in {"GET", "HEAD"} and not local


def _open(made: Answer, current: CurrentAnswers) -> Answer:
    assert made.part is not None, "only parts of files are opened"
    try:
        stream = open_file(current.output.out, made.part.file)
    except Stale:
        return text_answer(503, "503: this file was changed since the export; export again\n")
    return replace(made, body=_chunks(stream, made.part.start, made.part.stop), part=None)


async def _chunks(stream: FileIO, start: int, stop: int) -> AsyncIterator[bytes]:
    with stream:
        stream.seek(start)
        while start < stop:
            chunk = stream.read(min(_CHUNK, stop - start))
            if not chunk:
                raise CutOff
            start += len(chunk)
            yield chunk
