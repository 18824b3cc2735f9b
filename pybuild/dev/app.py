"""What the dev server answers: the site by its session, and addresses of its own below `/_pybuild/`.

Owns the script's files, the stream of events, the last good page of an address, and who may ask. Knows no phase.
Sources: HTML, "Server-sent events"; RFC 9111 §5.2.2.5 (no-store); docs/dev.md.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, unquote

from pybuild.dev.backend import Backend, Lost
from pybuild.dev.findings import Sources, findings_json, findings_page
from pybuild.dev.messages import Reply, State, with_script
from pybuild.diagnostics import Diagnostic, arrange
from pybuild.rules.evaluate import Request
from pybuild.serve.app import Application, CutOff, Log, Visitor
from pybuild.serve.preview import is_foreign
from pybuild.serve.proxy import relay
from pybuild.serve.responses import Answer, is_local, text_answer

OWN = "/_pybuild/"
_KEPT = 200  # last good pages
_LARGEST = 16 * 1024 * 1024  # bytes of a backend's HTML that gets the script
_CHUNK = 256 * 1024
_PING = 15.0  # seconds between two signs of life
_EMPTY = b'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Error</title></head><body></body>\n</html>\n'
_FILES = {"dev.js": "text/javascript; charset=utf-8", "dev.css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of an address that was asked for."""

    failed: tuple[Diagnostic, ...] = ()
    mark: str = ""


@dataclass
class Known:
    """What the server knows of the site, for the browser and the terminal."""

    root: Path
    shows_sources: bool
    steps: tuple[Diagnostic, ...] = ()  # of build steps that ran before
    state: State = State(())
    number: int = 0  # of changes so far
    by_page: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)  # by decoded path as sent
    served: dict[str, int] = field(default_factory=dict)  # the number at which a path was answered last
    site: tuple[Diagnostic, ...] = ()  # of outputs that look at all pages

    def take(self, state: State) -> None:
        """Begin again after a change."""
        self.state = state
        self.number += 1
        self.by_page.clear()
        self.pages.clear()
        self.site = ()

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        return arrange(
            (
                *self.steps,
                *self.state.findings,
                *self.site,
                *(f for found in self.by_page.values() for f in found),
            )
        )

    @property
    def sources(self) -> Sources:
        return Sources(self.root, self.state.secrets, self.shows_sources)


class DevSite:
    """Answers requests, and tells open pages of changes."""

    def __init__(
        self, backend: Backend, known: Known, news: Callable[[Iterable[Diagnostic], Reply], None]
    ) -> None:
        """`news` gets the findings of a page that were not known before."""
        self._backend = backend
        self._known = known
        self._news = news
        self._boot = os.urandom(4).hex()
        self._good: OrderedDict[str, bytes] = OrderedDict()
        self._listeners: set[asyncio.Queue[tuple[str, str]]] = set()
        self._accepts: Callable[[str], bool] = lambda host: False

    def application(self, allowed: Iterable[str], log: Log | None = None) -> Application:
        """The application. `allowed` are names in lower case that are answered besides addresses and localhost."""
        names = frozenset(allowed)
        self._accepts = lambda host: is_local(host, names) or _is_address(host)
        never_kept = (("Cache-Control", "no-store"),)
        return Application(self._answer, accepts=self._accepts, log=log, always=never_kept)

    async def _answer(self, request: Request, visitor: Visitor) -> Answer:
        own = request.path.startswith(OWN) or request.path + "/" == OWN
        return await (self._own(request) if own else self._site(request, visitor))

    async def _site(self, request: Request, visitor: Visitor) -> Answer:
        number = self._known.number
        try:
            reply = await self._backend.ask(request)
        except Lost as lost:
            return text_answer(500, f"500: the process that holds the site ended: {lost}\n")
        self._note(request, reply, number)
        if reply.is_failed and not reply.wants_html:
            return reply.answer
        if reply.is_failed:  # the last good page of the address, whose script shows the errors
            own = {"content-type", "content-length"}
            kept = (pair for pair in reply.answer.headers if pair[0].lower() not in own)
            return _html(500, self._good.get(_path(request)) or with_script(_EMPTY), *kept)
        if reply.answer.call is not None:
            return await self._proxied(request, visitor, reply)
        if reply.file is not None:
            return _opened(reply)
        is_page = reply.page and request.method == "GET" and reply.answer.status == 200
        if is_page and _is_html(reply.answer) and isinstance(reply.answer.body, bytes):
            self._good[_path(request)] = reply.answer.body
            self._good.move_to_end(_path(request))
            while len(self._good) > _KEPT:
                self._good.popitem(last=False)
        return reply.answer

    def _note(self, request: Request, reply: Reply, number: int) -> None:
        known, path = self._known, _path(request)
        if number != known.number:
            return  # the site changed meanwhile; the page is loaded again
        fresh = set(reply.findings) | set(reply.site_findings)
        fresh -= set(known.findings)
        if reply.page or reply.findings:
            known.by_page[reply.page or path] = reply.findings
        if reply.site_findings:
            known.site = reply.site_findings
        if "text/html" in ",".join(request.lines("accept")) or path not in known.pages:
            known.pages[path] = Page(reply.findings if reply.is_failed else (), reply.mark)
        known.served[path] = number
        self._news(arrange(fresh), reply)

    async def _proxied(self, request: Request, visitor: Visitor, reply: Reply) -> Answer:
        call = reply.answer.call
        assert call is not None, "only calls are relayed"
        if is_foreign(request, self._accepts):
            return text_answer(403, "403: another site may not send this\n")
        if any(header.env for header in call.headers) and not _is_loopback(visitor.address):
            return text_answer(403, "403: only this machine may send requests with its secrets\n")
        headers = tuple(pair for pair in request.headers if pair[0].lower() != "accept-encoding")
        answer = await relay(
            call, replace(request, headers=headers), await visitor.body(), reply.answer.headers
        )
        return await _with_script(answer) if _is_html(answer) and answer.status in {200, 404, 500} else answer

    async def _own(self, request: Request) -> Answer:
        name = request.path.removeprefix(OWN)
        origin = next(iter(request.lines("origin")), "")
        if origin and origin != f"http://{request.lines('host')[0]}":
            return text_answer(403, "403: another site may not ask this\n")
        if request.method not in {"GET", "HEAD"}:
            return text_answer(405, "405\n", ("Allow", "GET, HEAD"))
        known = self._known
        if name in _FILES:
            return _bytes(files(__package__).joinpath(name).read_bytes(), _FILES[name])
        if name == "findings":
            return _html(200, findings_page(known.findings, known.sources))
        if name == "findings.json":
            path = unquote(parse_qs(request.query).get("path", [""])[0])
            page = known.pages.get(path, Page())
            shown = json.loads(findings_json(page.failed, known.sources))["diagnostics"]
            since = self._name(known.served.get(path, known.number))
            about = {"failed": shown, "mark": page.mark, "since": since, "now": self._name(known.number)}
            return _bytes(findings_json(known.findings, known.sources, page=about), "application/json")
        if name == "events":
            return Answer(200, (("Content-Type", "text/event-stream; charset=utf-8"),), self._events())
        return text_answer(404, "404\n")

    async def _events(self) -> AsyncIterator[bytes]:
        """What becomes of the site, as long as somebody listens. `hello` names the state it is in."""
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield b"retry: 500\n" + _event("hello", self._name(self._known.number))
            while True:
                try:
                    yield _event(*await asyncio.wait_for(queue.get(), _PING))
                except TimeoutError:
                    yield b": ping\n\n"
        finally:
            self._listeners.discard(queue)

    def _name(self, number: int) -> str:
        return f"{self._boot}.{number}"

    def changed(self, state: State, changed: frozenset[str]) -> None:
        """Tell open pages that the site has changed: stylesheets are put in place, all else is loaded again."""
        self._known.take(state)
        since = self._name(self._known.number)
        event = ("reload", "")
        if changed and all(file.startswith("public/") and file.endswith(".css") for file in changed):
            paths = [unquote(state.base) + file.removeprefix("public") for file in sorted(changed)]
            event = ("style", json.dumps({"paths": paths, "since": since}))
            self._known.served = dict.fromkeys(self._known.served, self._known.number)
        for queue in self._listeners:
            queue.put_nowait(event)


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def _path(request: Request) -> str:
    return unquote(request.path)


def _is_html(answer: Answer) -> bool:
    kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    return kind.partition(";")[0].strip().lower() == "text/html"


def _bytes(body: bytes, kind: str) -> Answer:
    return Answer(200, (("Content-Type", kind), ("Content-Length", str(len(body)))), body)


def _html(status: int, body: bytes, *more: tuple[str, str]) -> Answer:
    length = ("Content-Length", str(len(body)))
    return Answer(status, (("Content-Type", "text/html; charset=utf-8"), *more, length), body)


async def _with_script(answer: Answer) -> Answer:
    """A backend's HTML with the script; as it is where it is encoded or very large."""
    names = {name.lower(): value for name, value in answer.headers}
    if isinstance(answer.body, bytes) or "content-encoding" in names:
        return answer
    parts: list[bytes] = []
    async for part in answer.body:
        parts.append(part)
        if sum(map(len, parts)) > _LARGEST:
            return replace(answer, body=_rest(parts, answer.body))
    body = with_script(b"".join(parts))
    kept = tuple(pair for pair in answer.headers if pair[0].lower() not in {"content-length", "etag"})
    return replace(answer, headers=(*kept, ("Content-Length", str(len(body)))), body=body)


async def _rest(parts: list[bytes], more: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    async for part in more:
        yield part


def _opened(reply: Reply) -> Answer:
    """An answer whose bytes are read while they are sent."""
    assert reply.file is not None, "only answers with a file are opened"
    try:
        stream = reply.file.open("rb")
    except OSError:
        return text_answer(503, "503: this file is just being replaced\n", ("Retry-After", "1"))

    async def chunks() -> AsyncIterator[bytes]:
        with stream:
            stream.seek(reply.start)
            left = reply.stop - reply.start
            while left:
                chunk = stream.read(min(_CHUNK, left))
                if not chunk:
                    raise CutOff
                left -= len(chunk)
                yield chunk

    return replace(reply.answer, body=chunks())


def _is_address(host: str) -> bool:
    """Whether a `Host` is an address and no name: no foreign page can have one for its own."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
