"""A site for the server, the real command that serves it, and a client that hides nothing."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import Process, run_command, start_command

from pybuild.publish import output_at
from pybuild.publish.publication import Publication, load_publication

SETTINGS = """
[site]
url = "https://a.example"
title = "Served"
[negotiation]
strict = true
[[redirects]]
source = "/old/:slug"
destination = "/docs/:slug?from=old"
permanent = true
[[redirects]]
source = "/été/:x"
destination = "/docs/:x"
permanent = false
[[rewrites]]
source = "/beta"
destination = "/docs/a"
has = [{ type = "cookie", key = "ab", value = "b" }]
[[headers]]
source = "/docs/:path*"
headers = { Cache-Control = "no-cache", Vary = "X-Docs" }
[[proxies]]
source = "/up/:path*"
destination = "http://127.0.0.1:PORT/base/:path*"
methods = ["GET", "POST"]
headers = { Authorization = { env = "UP_TOKEN" }, X-App = "1" }
[[proxies]]
source = "/unset/:path*"
destination = "http://127.0.0.1:PORT/:path*"
headers = { Authorization = { env = "NEVER_SET" } }
[[proxies]]
source = "/down/:path*"
destination = "http://127.0.0.1:1/:path*"
[[headers]]
source = "/up/:path*"
headers = { X-Kind = "ours", Vary = "X-Up" }
"""
HANDLER = 'from pybuild import JSONResponse\ndynamic = "force-static"\ndef GET():\n    return JSONResponse([1, 2])\n'
FILES = {
    "app/page.md": "# Home\n",
    "app/docs/a/page.md": "# A\n\nText of a.\n",
    "app/docs/café 1/page.md": "# Coffee\n",
    "app/api/posts/route.py": HANDLER,
    "app/not-found.md": "# Lost\n",
    "public/big.bin": "0123456789abcdef" * 20_000,
    "public/small.txt": "0123456789",
    "public/empty.txt": "",
}


@dataclass(frozen=True)
class Seen:
    """An answer as it came."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def talk(port: int, raw: bytes, *, timeout: float = 10) -> bytes:
    """Send bytes and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        client.sendall(raw)
        return b"".join(iter(lambda: client.recv(65536), b""))


def fetch(
    port: int,
    target: str,
    method: str = "GET",
    body: bytes | None = None,
    *,
    wait: float = 10,
    **headers: str,
) -> Seen:
    """Send one request exactly as written; `_` in the name of a header stands for `-`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=wait)
    connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    seen = Seen(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    connection.close()
    return seen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def make_site(root: Path, port: int = 9, target: str = "static", **files: str) -> Path:
    """Write the site and export it."""
    for path, text in {**FILES, "pybuild.toml": SETTINGS.replace("PORT", str(port)), **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    done = run_command(root, "export", str(root), "--engine", "serial", "--target", target)
    assert done.code == 0, done.stderr
    return root


def published(root: Path) -> Publication:
    publication, findings = load_publication(output_at(root, root / "out"))
    assert publication is not None, findings
    return publication


@contextmanager
def previewed(root: Path, *arguments: str, **env: str) -> Iterator[tuple[int, Process]]:
    """Run `pybuild preview` on a free port."""
    process = start_command("preview", str(root), "--port", "0", *arguments, env={**os.environ, **env})
    try:
        assert process.stdout is not None
        address = process.stdout.readline()
        assert address.startswith("http://"), process.communicate()
        yield int(address.rpartition(":")[2].partition("/")[0]), process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
