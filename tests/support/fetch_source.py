"""A source on this machine that counts what it is asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Source:
    """Answers by path; `asked` counts the requests, `seen` holds their headers."""

    port: int = 0
    replies: dict[str, Callable[[BaseHTTPRequestHandler], Reply]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    seen: list[dict[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def text(self, path: str, body: str, status: int = 200, **headers: str) -> str:
        """Answer a path with a text."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies[path] = lambda _: (status, named, body.encode())
        return self.url(path)


@pytest.fixture
def source() -> Iterator[Source]:
    found = Source()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            found.asked[self.path] += 1
            found.seen.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, body = found.replies.get(path, lambda _: (404, {}, b""))(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if headers.get("X-Endless"):
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(b"x" * 1000)
                        time.sleep(0.001)
                except OSError:
                    return
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
