"""Cloud hosts on this machine: their own local runtimes, started on the files a target writes."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hosts.servers.test_servers import TOKEN, Answer, Tree, deploy, free_port
from pybuild.hosts.edge.cloudfront import object_types
from pybuild.rules.media_types import SUFFIX_TYPES, type_of

TOOLS = Path(__file__).parents[2] / ".tools" / "node_modules"
QUIET = {"CLOUDFLARE_CF_FETCH_ENABLED": "false", "WRANGLER_SEND_METRICS": "false", "CI": "1", "NO_COLOR": "1"}


def tool(path: str) -> Path:
    """A file of an npm package; without it the test is skipped, and in CI it fails."""
    file = TOOLS / path
    if not file.exists() and os.environ.get("CI"):
        pytest.fail(f"{path} is not installed")
    if not file.exists():
        pytest.skip(f"{path} is not installed")
    return file


def node() -> str:
    """Node in the version that wrangler wants."""
    return str(tool("node/bin/node"))


def wrangler(*words: str, home: Path, port: int) -> subprocess.Popen[bytes]:
    """Start wrangler without network, in a process group of its own."""
    (home / ".dev.vars").write_text(f'PB_TEST_TOKEN="{TOKEN}"\n')
    program = str(tool("wrangler/bin/wrangler.js"))
    options = ("--ip", "127.0.0.1", "--port", str(port), "--inspector-port", str(free_port()))
    settings = {"HOME": str(home), "WRANGLER_LOG_PATH": str(home / "logs"), **QUIET}
    path = f"{Path(node()).parent}:{os.environ['PATH']}"
    return subprocess.Popen(
        [node(), program, *words, *options],
        cwd=home,
        env={**os.environ, **settings, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=(home / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def start_cloudflare(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    deploy("cloudflare", tree, home)
    settings = (home / "wrangler.jsonc").read_text()
    wanted = os.path.relpath(tree.config.out, tree.config.deploy)
    assert settings.count(f'"{wanted}"') == 1
    (home / "wrangler.jsonc").write_text(settings.replace(f'"{wanted}"', f'"{tree.root}"'))
    return wrangler("dev", home=home, port=port)


def start_pages(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    deploy("cloudflare-pages", tree, home)
    return wrangler(
        "pages", "dev", str(tree.root), "--compatibility-date", "2025-09-01", home=home, port=port
    )


def start_netlify(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    """The Edge Function on Deno, as on Netlify; the files behind it are the harness's own."""
    deploy("netlify", tree, home)
    (home / "types.json").write_text(json.dumps(SUFFIX_TYPES))
    script = Path(__file__).with_name("netlify_edge.mjs")
    words = [tool("@deno/linux-x64-glibc/deno"), "run", "--no-remote", "--allow-all", script]
    return subprocess.Popen(
        [*words, home / "edge-functions" / "pybuild.js", tree.root, home / "types.json", str(port)],
        env={**os.environ, "DENO_DIR": str(home / "deno"), "NO_COLOR": "1", "PB_TEST_TOKEN": TOKEN},
        stdout=(home / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def start_vercel(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    """The routes and the middleware, matched by the open implementation in next-on-pages."""
    deploy("vercel", tree, home)
    (home / "types.json").write_text(json.dumps(SUFFIX_TYPES))
    source = tool("@cloudflare/next-on-pages/templates/_worker.js/handleRequest.ts")
    script = Path(__file__).with_name("vercel_routes.mjs")
    return subprocess.Popen(
        [node(), script, tool("esbuild/lib/main.js"), source, home, tree.root, str(port)],
        env={**os.environ, "PB_TEST_TOKEN": TOKEN},
        stdout=(home / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def start_cloudfront(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    """The function before a cache and behind it; each object has the type that the upload gives it."""
    deploy("cloudfront", tree, home)
    (home / "types.json").write_text(json.dumps({path: stored_type(tree, path) for path in tree.files}))
    script = Path(__file__).with_name("cloudfront_edge.mjs")
    return subprocess.Popen(
        [node(), script, home, tree.root, home / "types.json", str(port)],
        stdout=(home / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def stored_type(tree: Tree, path: str) -> str:
    odd = object_types(tree.rules, tree.files)
    return odd.get(path) or odd.get(path.rpartition("/")[0] + "/" if "." not in path else "") or type_of(path)


CLOUDS: dict[str, Callable[[Tree, Path, int], subprocess.Popen[bytes]]] = {
    "cloudflare": start_cloudflare,
    "cloudflare-pages": start_pages,
    "netlify": start_netlify,
    "vercel": start_vercel,
    "cloudfront": start_cloudfront,
}


@contextmanager
def running(cloud: str, tree: Tree, home: Path) -> Iterator[int]:
    """Start a runtime and give its port once it listens; end its whole group afterwards."""
    port = free_port()
    process = CLOUDS[cloud](tree, home, port)
    try:
        wait(process, port, home / "log")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=5)


def wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def unzipped(answer: Answer) -> Answer:
    """The answer with its body decoded."""
    if answer.headers.get("content-encoding") != "gzip" or not answer.body:
        return answer
    return replace(answer, body=gzip.decompress(answer.body))


def able(cloud: str, tree: Tree) -> Tree:
    """The tree without what the host is known to refuse; for CloudFront so many rules that its code has room."""
    proxies = tuple(
        rule for rule in tree.rules.proxies if cloud != "cloudfront" and rule.source.source != "/notes.md"
    )
    redirects = tuple(rule for rule in tree.rules.redirects if rule.source.source not in ROOMY)
    if cloud == "cloudfront":
        headers = tuple(rule for rule in tree.rules.headers if rule.source.source not in ROOMY)
        return replace(tree, rules=replace(tree.rules, proxies=(), redirects=redirects, headers=headers))
    return replace(tree, rules=replace(tree.rules, proxies=proxies)) if cloud == "vercel" else tree


ROOMY = {
    "/seek/:word/:more*",
    "/n/:id(\\d+)",
    "/moved/:path*",
    "/été/:x",
    "/look/:word",
    "/old/:path*",
    "/api/posts/2",
    "/who",
}


def dialect(home: Path) -> list[object]:
    """Run all events that the function has seen in njs, from which CloudFront's runtime comes; the differences."""
    program = shutil.which("njs")
    if program is None and os.environ.get("CI"):
        pytest.fail("njs is not installed")
    if program is None:
        pytest.skip("njs is not installed")
    events = [json.loads(line) for line in (home / "events.jsonl").read_text().splitlines()]
    code = (home / "function.js").read_text() + "var events = " + json.dumps([event for event, _ in events])
    code += f";require('fs').writeFileSync({json.dumps(str(home / 'answers'))}, JSON.stringify(events.map(handler)));\n"
    (home / "njs.js").write_text(code)
    subprocess.run([program, "-q", home / "njs.js"], check=True, stdout=subprocess.DEVNULL)
    answers = json.loads((home / "answers").read_text())
    return [(event, mine) for (event, answer), mine in zip(events, answers, strict=True) if answer != mine]
