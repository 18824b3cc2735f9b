"""One exported site with its backend, served for all tests here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from previewing import make_site, previewed, published

from pybuild.publish.publication import Publication


@pytest.fixture(scope="session")
def upstream() -> Iterator[int]:
    """A backend that answers with what it was asked; its port."""

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            said = {
                "target": self.path,
                "method": self.command,
                "body": body,
                "headers": list(self.headers.items()),
            }
            text = json.dumps(said).encode()
            self.send_response(203)
            self.send_header("Set-Cookie", "leak=1")
            self.send_header("X-Kind", "theirs")
            self.send_header("Vary", "Origin")
            self.send_header("X-Hop", "1")
            self.send_header("Connection", "close, X-Hop")
            if self.path.endswith("/chunked"):
                self.send_header("Transfer-Encoding", "chunked")
                text = b"%x\r\n%b\r\n0\r\n\r\n" % (len(text), text)
            else:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else text)

        do_POST = do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, upstream: int) -> Path:
    return make_site(tmp_path_factory.mktemp("served"), upstream)


@pytest.fixture(scope="session")
def publication(site: Path) -> Publication:
    return published(site)


@pytest.fixture(scope="session")
def port(site: Path) -> Iterator[int]:
    with previewed(site, UP_TOKEN="Bearer s3cret") as (number, _):
        yield number
