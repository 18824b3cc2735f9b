"""What stands on loopback between a client and a server: it cuts connections, or speaks another dialect."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

_OF_CONNECTION = {"connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


Conduct = Callable[[Request], Answer | None]  # None: the connection is cut


def ask(port: int, request: Request) -> Answer:
    """Ask the server of a port on loopback."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(server):
        server.request(request.method, request.path, request.body, dict(request.headers))
        said = server.getresponse()
        return Answer(said.status, tuple(said.getheaders()), said.read())


@contextlib.contextmanager
def proxy(conduct: Conduct) -> Iterator[str]:
    """Answer requests by `conduct`; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = lambda self: self.answer()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = conduct(Request(self.command, self.path, dict(self.headers.items()), body))
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response_only(answer.status)
            lengths = [value for name, value in answer.headers if name.lower() == "content-length"]
            for name, value in answer.headers:
                if name.lower() not in _OF_CONNECTION:
                    self.send_header(name, value)
            is_head = self.command == "HEAD" and lengths
            self.send_header("Content-Length", lengths[0] if is_head else str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that are gone
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Cutter:
    """Cuts the connection at a request, counted from 0 since `arm`."""

    port: int  # of the server behind it
    at: int = -1
    is_answer: bool = False  # whether the request reaches the server, and only its answer is lost
    is_lasting: bool = False  # whether all later requests are cut off too
    seen: list[str] = field(default_factory=list)  # "PUT /bucket/key"
    lock: Any = field(default_factory=threading.Lock)

    def arm(self, at: int, *, is_answer: bool = False, is_lasting: bool = False) -> None:
        with self.lock:
            self.at, self.is_answer, self.is_lasting, self.seen = at, is_answer, is_lasting, []

    def __call__(self, request: Request) -> Answer | None:
        with self.lock:
            number = len(self.seen)
            self.seen.append(f"{request.method} {request.path}")
            is_cut = 0 <= self.at <= number if self.is_lasting else number == self.at
            is_sent = not is_cut or self.is_answer
        answer = ask(self.port, request) if is_sent else None
        return None if is_cut else answer


@dataclass(frozen=True)
class GoogleXml:
    """Puts objects by Google's XML API into a server that knows conditions by its JSON API only.

    Source: cloud.google.com/storage/docs, "XML API", "Request preconditions".
    """

    port: int

    def __call__(self, request: Request) -> Answer | None:
        if request.method != "PUT":
            return ask(self.port, replace(request, headers={"Host": f"127.0.0.1:{self.port}"}))
        said = {name.lower(): value for name, value in request.headers.items()}
        _, bucket, key = request.path.split("/", 2)
        table = {"name": unquote(key), "cacheControl": said.get("cache-control", "")}
        kind = said.get("content-type", "application/octet-stream")
        parts = ((b"application/json", json.dumps(table).encode()), (kind.encode(), request.body))
        mark = b"a-text-that-is-in-no-body"
        body = b"".join(b"--%s\r\nContent-Type: %s\r\n\r\n%s\r\n" % (mark, *part) for part in parts)
        path = f"/upload/storage/v1/b/{quote(bucket)}/o?uploadType=multipart"
        if condition := said.get("x-goog-if-generation-match"):
            path += f"&ifGenerationMatch={condition}"
        headers = {"Content-Type": f"multipart/related; boundary={mark.decode()}"}
        done = ask(self.port, Request("POST", path, headers, b"%s--%s--\r\n" % (body, mark)))
        if done.status != 200:
            return done
        made = json.loads(done.body)
        return Answer(200, (("ETag", f'"{made["md5Hash"]}"'), ("x-goog-generation", made["generation"])), b"")
