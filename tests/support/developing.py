"""The session of `pybuild dev`, held against an export of the same sources."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness import Process, start_command
from previewing import Seen, fetch

from pybuild.config.schema import Options
from pybuild.dev.messages import Reply, with_script
from pybuild.dev.session import Session
from pybuild.publish.publication import Publication
from pybuild.rules.evaluate import Request
from pybuild.serve.responses import Answers

OPTIONS = Options(drafts=True, future=True)
_VARIES = {"etag", "cache-control", "content-length"}  # the first and the last are those of what is sent


def asked(session: Session, target: str, method: str = "GET", **headers: str) -> Reply:
    """The session's reply; `_` in the name of a header stands for `-`."""
    reply = session.take(request(target, method, **headers))
    assert isinstance(reply, Reply)
    return reply


def request(target: str, method: str = "GET", **headers: str) -> Request:
    fields = ((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(target, method, (("Host", "localhost"), *fields))


def body_of(reply: Reply) -> bytes:
    if reply.file is not None:
        return reply.file.read_bytes()[reply.start : reply.stop]
    assert isinstance(reply.answer.body, bytes)
    return reply.answer.body


def differences(session: Session, publication: Publication, targets: Iterable[Request]) -> list[str]:
    """The requests that the session answers in another way than the export, but for the script."""
    answers = Answers(publication)
    return [
        f"{one.method} {one.target} {one.headers[1:]}: {why}"
        for one in targets
        if (why := _difference(session, answers, one))
    ]


def _difference(session: Session, answers: Answers, one: Request) -> str:
    expected, reply = answers.of(one), session.take(one)
    assert isinstance(reply, Reply)
    if reply.is_failed:
        return f"failed: {reply.findings}"
    if expected.status != reply.answer.status:
        return f"status {reply.answer.status}, not {expected.status}"
    theirs, ours = (
        sorted((k.lower(), v) for k, v in pairs if k.lower() not in _VARIES)
        for pairs in (expected.headers, reply.answer.headers)
    )
    if theirs != ours:
        return f"headers {ours}, not {theirs}"
    body = expected.body
    if expected.part:
        whole = (answers.publication.output.out / expected.part.file.path).read_bytes()
        body = whole[expected.part.start : expected.part.stop]
    assert isinstance(body, bytes)
    if ("content-type", "text/html; charset=utf-8") in theirs and expected.status in {200, 404}:
        body = with_script(body)
    if body_of(reply) != body:
        return f"{len(body_of(reply))} other bytes, not {len(body)}"
    length = {k.lower(): v for k, v in reply.answer.headers}.get("content-length")
    return "" if length == str(len(body)) or expected.status == 304 else f"length {length}, not {len(body)}"


def addresses(publication: Publication) -> list[Request]:
    """Every address of a publication, as browsers and agents ask for it, and some that nothing answers."""
    base = publication.rules.base
    urls = {url for file in publication.files.values() for url in (f"/{file.path}", file.url) if url}
    urls |= {"/", "/nope", "/a/nope.md", "/docs/nope", "/old", "/nope.txt"}
    urls |= {rule.source.source for rule in publication.rules.redirects if ":" not in rule.source.source}
    targets = [quote(base + url) for url in sorted(urls)]
    return [request(t, Accept=kind) for t in targets for kind in ("text/html", "text/markdown")]


@contextmanager
def session_of(root: Path, folder: Path, options: Options = OPTIONS) -> Iterator[Session]:
    with closing(Session(root, options, folder)) as session:
        yield session


@dataclass
class Server:
    """A running `pybuild dev`."""

    port: int
    process: Process
    root: Path

    def get(self, target: str, **headers: str) -> Seen:
        return fetch(self.port, target, wait=60, **headers)

    def until(self, target: str, holds: Callable[[Seen], bool], **headers: str) -> Seen:
        """Ask again and again until the answer is as wanted."""
        for _ in range(600):
            seen = self.get(target, **headers)
            if holds(seen):
                return seen
            time.sleep(0.05)
        raise AssertionError(f"{target} never was as wanted: {seen}")


@contextmanager
def developed(root: Path, *arguments: str, port: int | None = 0, **env: str) -> Iterator[Server]:
    """Run `pybuild dev`: on a free port, or without saying a port where that is None."""
    where = () if port is None else ("--port", str(port))
    with (root.parent / "dev.log").open("w") as log:
        process = start_command("dev", str(root), *arguments, *where, env={**os.environ, **env}, stderr=log)
    try:
        assert process.stdout is not None
        address = process.stdout.readline()
        assert address.startswith("http://"), (root.parent / "dev.log").read_text()
        yield Server(int(address.rpartition(":")[2].partition("/")[0]), process, root)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
