"""Every engine held against `evaluate`: one table of requests, sent to the real server."""

import functools
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from harness import open_up

from pybuild.build.rules import derive
from pybuild.config.loader import Config, load_config
from pybuild.config.schema import Options
from pybuild.hosts import TARGETS, compile_rules
from pybuild.records import File, Page, Redirection, by_path
from pybuild.rules.evaluate import Outcome, Request, evaluate
from pybuild.rules.model import RuleSet
from pybuild.urls import encode

CASES = json.loads((Path(__file__).parents[2] / "rules" / "accept-cases.json").read_text())["cases"]

FILES = {
    "index.html": "home",
    "index.md": "# home",
    "docs.html": "docs",
    "docs.md": "# docs",
    "docs/a.html": "a" * 400,
    "docs/a.md": "# a",
    "docs/50%.html": "half",
    "docs/50%.md": "# half",
    "docs/café 1.html": "coffee",
    "docs/café 1.md": "# coffee",
    "docs/v1.2.html": "version",
    "docs/$x{y}';.html": "strange",
    "docs/$x{y}';.md": "# strange",
    "plain.html": "no variant",
    "notes.md": "# a file of its own",
    "beta.html": "beta",
    "api/posts/index.json": "[1]",
    "api/posts/1": '{"id": 1}',
    "api/posts/2": '{"id": 2}',
    "geo.json": '{"type": "Point"}',
    "feed.xml": "<rss/>",
    "assets/app.js": "1",
    "404.html": "lost",
}
JSON = "application/json"
MEDIA = {
    "api/posts/index.json": JSON,
    "api/posts/1": JSON,
    "api/posts/2": JSON,
    "geo.json": "application/geo+json",
}
HEADERS = {  # of what handlers answered; a repeated one is joined
    "api/posts/1": (("Cache-Control", "max-age=60"), ("Vary", "Cookie, X-One"), ("X-Feed", "one, two, one")),
    "feed.xml": (
        ("X-Feed", '"quoted" $uri {x};'),
        ("Link", '</docs>; rel="up", </docs/a>; rel="next"; title="a, b"'),
        ("Vary", "Accept-Language, Cookie"),
        ("Cache-Control", "no-store, max-age=0"),
    ),
}
MOVED = (("Cache-Control", "no-store, private"), ("Vary", "X-One, X-Two"), ("X-Feed", "away, far"))
SETTINGS = """
trailing_slash = {slash}
[site]
url = "https://a.example{base}"
title = "Engines"
[negotiation]
strict = {strict}
[[redirects]]
source = "/old/:slug"
destination = "/docs/:slug"
permanent = true
[[redirects]]
source = "/moved/:path*"
destination = "/:path*"
permanent = false
[[redirects]]
source = "/out/:path([^/&=+;#]+)*"
destination = "https://b.example/x/:path*?from=$a&to=:path#top"
status = 302
[[redirects]]
source = "/n/:id(\\\\d+)"
destination = "/docs/a"
status = 303
[[redirects]]
source = "/été/:x"
destination = "/docs/café 1"
status = 301
[[redirects]]
source = "/who"
destination = "/docs/a"
permanent = false
has = [{{ type = "host", value = "b\\\\.example" }}]
[[redirects]]
source = "/who"
destination = "/plain"
permanent = false
missing = [{{ type = "cookie", key = "in" }}]
[[rewrites]]
source = "/beta"
destination = "/docs/a"
has = [
  {{ type = "header", key = "X-Beta", value = "1|yes" }},
  {{ type = "cookie", key = "ab", value = "b" }},
  {{ type = "query", key = "preview", value = "on" }},
  {{ type = "host", value = "(?:www\\\\.)?c\\\\.example" }},
]
[[rewrites]]
source = "/guide/:path*"
destination = "/docs/:path*"
[[rewrites]]
source = "/plain"
destination = "/docs/v1.2"
has = [{{ type = "accept", key = "text/markdown" }}]
[[headers]]
source = "/(.*)"
headers = {{ X-All = "a\\"b$c{{d}};", X-Last = "1" }}
[[headers]]
source = "/docs/:path*"
headers = {{ X-Last = "2", Vary = "X-Docs", Cache-Control = "no-cache" }}
[[headers]]
source = "/assets/:path*"
headers = {{ X-Asset = "debug" }}
has = [{{ type = "query", key = "d" }}]
[[headers]]
source = "/feed.xml"
headers = {{ Content-Type = "application/rss+xml; charset=utf-8" }}
[[proxies]]
source = "/github/:path*"
destination = "http://127.0.0.1:{port}/up/:path*"
methods = ["GET", "POST"]
headers = {{ Authorization = {{ env = "PB_TEST_TOKEN" }}, X-App = "1 $2" }}
[[proxies]]
source = "/search/:word/x"
destination = "http://127.0.0.1:{port}/s+{{}}/:word/*?v=$1&w"
headers = {{ Authorization = {{ env = "PB_TEST_TOKEN" }}, X-App = "1 $2" }}
[[redirects]]
source = "/seek/:word/:more*"
destination = "/docs/:more*?first=1&word=:word&again=:word#end"
permanent = false
[[redirects]]
source = "/look/:word"
destination = "https://b.example/?word=:word"
permanent = false
[[proxies]]
source = "/find/:word/:more*"
destination = "http://127.0.0.1:{port}/find/:more*?word=:word&end"
headers = {{ Authorization = {{ env = "PB_TEST_TOKEN" }}, X-App = "1 $2" }}
[[proxies]]
source = "/notes.md"
destination = "http://127.0.0.1:{port}/notes"
methods = ["POST"]
headers = {{ Authorization = {{ env = "PB_TEST_TOKEN" }}, X-App = "1 $2" }}
[[proxies]]
source = "/send/:x"
destination = "http://127.0.0.1:{port}/send/:x"
methods = ["PUT"]
headers = {{ Authorization = {{ env = "PB_TEST_TOKEN" }}, X-App = "1 $2" }}
[[proxies]]
source = "/cors"
destination = "http://127.0.0.1:{port}/cors"
methods = ["GET", "OPTIONS"]
headers = {{ Authorization = {{ env = "PB_TEST_TOKEN" }}, X-App = "1 $2" }}
[[headers]]
source = "/:place(api|send|cors)/:path*"
headers = {{ Access-Control-Allow-Origin = "https://c.example" }}
[[headers]]
source = "/api/posts/2"
headers = {{ Access-Control-Allow-Methods = "GET" }}
[[headers]]
source = "/api/:path*"
headers = {{ Vary = "X-Two, cookie", Link = "</a>; rel=\\"up\\", </b>; rel=\\"next\\"" }}
[[headers]]
source = "/old/:path*"
headers = {{ Vary = "X-Old", Cache-Control = "max-age=1", X-Feed = "a, b" }}
"""
TOKEN = "Bearer s3cret-value"
Case = dict[str, Any]  # of CASES


@dataclass(frozen=True)
class Tree:
    """One output with its rules, as the export would hand it to a target."""

    root: Path
    rules: RuleSet
    files: dict[str, File]
    config: Config


Server = tuple[str, Tree, int]  # the engine, what it serves, its port


@pytest.fixture(scope="session")
def upstream() -> Iterator[int]:
    """A server that answers with what it was asked; its port."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            names = ("host", "authorization", "cookie", "x-app")
            said = {"target": self.path, "method": self.command}
            said |= {name: self.headers.get(name, "") for name in names}
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Set-Cookie", "leak=1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        do_POST = do_PUT = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="session")
def make_tree(tmp_path_factory: pytest.TempPathFactory, upstream: int) -> Callable[..., Tree]:
    """Write the output tree and derive its rules."""

    def make(*, slash: bool = False, base: str = "", strict: bool = True, more: str = "") -> Tree:
        site = tmp_path_factory.mktemp("site")
        text = SETTINGS.format(slash=str(slash).lower(), base=base, strict=str(strict).lower(), port=upstream)
        text += more
        (site / "pybuild.toml").write_text(text, encoding="utf-8")
        config, findings = load_config(site, Options())
        assert findings == ()
        files = [staged(site / "out", path, text, slash=slash) for path, text in FILES.items()]
        if slash:
            files += [staged(site / "out", "docs/a.md", "# a", slash=False)]
        pages = [Page("/docs/a", "", "docs/a.html", "a", variant_path="docs/a.md")]
        answered = [Redirection("/go", "/docs/a?x=1", 307, "app/go/route.py", 3, MOVED)]
        rules, _ = derive(config, pages, by_path(files), answered)
        return Tree(site / "out", rules, by_path(files), config)

    return make


def staged(out: Path, path: str, text: str, *, slash: bool) -> File:
    """Write one file; with trailing slashes pages go into folders of their own."""
    url = {"api/posts/index.json": "/api/posts"}.get(path, "")
    stem, _, suffix = path.rpartition(".")
    if slash and suffix in {"html", "md"} and stem not in {"index", "404", "notes"}:
        path = f"{stem}/index.{suffix}"
    file = out / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return File(path, "test", digest, len(text), url, MEDIA.get(path, ""), HEADERS.get(path, ()))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case; several lines joined with ", "
    body: bytes


def send(port: int, request: Request) -> Answer:
    """Send a request exactly as it is written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    joined: dict[str, str] = {}
    for name, value in response.getheaders():
        joined[name.lower()] = f"{joined[name.lower()]}, {value}" if name.lower() in joined else value
    answer = Answer(response.status, joined, response.read())
    connection.close()
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require(program: str) -> str:
    """The path of an engine; without it the test is skipped, and in CI it fails."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{program} is not installed")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


Start = Callable[[Tree, Path, int], subprocess.Popen[bytes]]


def ask(target: str, method: str = "GET", host: str = "a.example", **headers: str | list[str]) -> Request:
    """A request; `_` in a header's name stands for `-`, a list for several field lines."""
    lines = [("Host", host)]
    for name, value in headers.items():
        lines += [(name.replace("_", "-"), one) for one in (value if isinstance(value, list) else [value])]
    return Request(target, method, tuple(lines))


def able(engine: str, tree: Tree) -> Tree:
    """The tree without the rules that an engine is known to refuse."""
    if engine not in {"nginx", "caddy"}:
        return tree
    redirects = tuple(rule for rule in tree.rules.redirects if rule.source.source not in UNENCODED)
    proxies = tuple(rule for rule in tree.rules.proxies if rule.source.source not in UNENCODED)
    return replace(tree, rules=replace(tree.rules, redirects=redirects, proxies=proxies))


UNENCODED = {
    "/seek/:word/:more*",
    "/look/:word",
    "/find/:word/:more*",
}  # a value in a query has to be encoded


def deploy(target: str, tree: Tree, into: Path) -> None:
    """Compile the rules and write the files where the export would."""
    compiled = compile_rules(TARGETS[target], tree.rules, tree.files, tree.config)
    assert compiled.findings == ()
    for root, artifacts in ((tree.root, compiled.site), (into, compiled.deploy)):
        for artifact in artifacts:
            (root / artifact.path).parent.mkdir(parents=True, exist_ok=True)
            (root / artifact.path).write_bytes(artifact.body)


def start_nginx(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    program = require("nginx")
    deploy("nginx", tree, home)
    template = (home / "pybuild-secrets.conf.template").read_text()
    (home / "secrets.conf").write_text(template.replace("${PB_TEST_TOKEN}", TOKEN))
    user = "user root; " if os.geteuid() == 0 else ""
    temporary = " ".join(f"{name}_temp_path {home}/{name};" for name in NGINX_TEMPORARY)
    (home / "nginx.conf").write_text(
        f"""{user}daemon off; pid {home}/pid; error_log {home}/error.log; worker_processes 1; events {{ }}
        http {{ access_log off; {temporary}
          include {home}/pybuild-http.conf; include {home}/secrets.conf;
          server {{ listen 127.0.0.1:{port}; root {tree.root}; include {home}/pybuild-server.conf; }} }}"""
    )
    command = [program, "-e", f"{home}/error.log", "-c", f"{home}/nginx.conf"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    return subprocess.Popen(command)


def start_caddy(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    program = require("caddy")
    deploy("caddy", tree, home)
    (home / "Caddyfile").write_text(
        f"""{{
          admin off
          auto_https off
          log {{
            level ERROR
          }}
        }}
        http://:{port} {{
          bind 127.0.0.1
          root * {tree.root}
          import {home}/pybuild.caddy
        }}
        """
    )
    command = [program, "run", "--config", f"{home}/Caddyfile"]
    checked = subprocess.run([program, "adapt", *command[2:]], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    env = os.environ | {"PB_TEST_TOKEN": TOKEN, "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return subprocess.Popen(command, env=env)


def start_apache(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    program = require("apache2")
    deploy("apache", tree, home)
    modules = Path("/usr/lib/apache2/modules")
    loaded = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in APACHE_MODULES)
    mount = f'Alias "{tree.rules.base}" "{tree.root}"' if tree.rules.base else f'DocumentRoot "{tree.root}"'
    (home / "empty").mkdir()
    account = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    (home / "apache.conf").write_text(
        f"""ServerRoot "{home}"
        ServerName a.example
        {account}
        PidFile "{home}/pid"
        ErrorLog "{home}/error.log"
        TypesConfig /dev/null
        DefaultRuntimeDir "{home}"
        Listen 127.0.0.1:{port}
        {loaded}
        {"" if tree.rules.base == "" else f'DocumentRoot "{home}/empty"'}
        {mount}
        Include "{home}/pybuild-apache.conf"
        <Directory "{tree.root}">
          AllowOverride All
          Require all granted
        </Directory>
        """
    )
    open_up(tree.root, home)
    command = [program, "-f", f"{home}/apache.conf", "-D", "FOREGROUND"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    return subprocess.Popen(command, env=os.environ | {"PB_TEST_TOKEN": TOKEN})


APACHE_MODULES = [
    "mpm_event",
    "authz_core",
    "alias",
    "dir",
    "mime",
    "headers",
    "rewrite",
    "proxy",
    "proxy_http",
    "negotiation",
    "env",
    "setenvif",
]


def start_varnish(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    program = require("varnishd")
    deploy("varnish", tree, home)
    handler = functools.partial(PlainFiles, directory=str(tree.root))
    origin = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    backend = f'backend pybuild_origin {{ .host = "127.0.0.1"; .port = "{origin.server_address[1]}"; }}'
    (home / "site.vcl").write_text(f'vcl 4.1;\n{backend}\ninclude "./pybuild.vcl";\n')
    command = [program, "-F", "-j", "none", "-T", "none", "-n", f"{home}/run", "-s", "malloc,64m"]
    command += ["-a", f"127.0.0.1:{port}", "-f", f"{home}/site.vcl"]
    command += [
        "-p",
        "cc_command=exec gcc -w -O0 -fPIC -shared -o %o %s",
    ]  # seconds faster than optimised code
    with (home / "log").open("wb") as log:
        env = os.environ | {"PB_TEST_TOKEN": TOKEN}
        return subprocess.Popen(command, env=env, stdout=log, stderr=log)


def start_haproxy(tree: Tree, home: Path, port: int) -> subprocess.Popen[bytes]:
    program = require("haproxy")
    deploy("haproxy", tree, home)
    handler = functools.partial(PlainFiles, directory=str(tree.root))
    origin = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    (home / "global.cfg").write_text(
        "global\n  maxconn 100\ndefaults\n  timeout client 10s\n  timeout connect 5s\n  timeout server 10s\n"
    )
    command = [program, "-db", "-f", f"{home}/global.cfg", "-f", f"{home}/pybuild.cfg"]
    env = os.environ | {
        "PYBUILD_BIND": f"127.0.0.1:{port}",
        "PYBUILD_ORIGIN": f"127.0.0.1:{origin.server_address[1]}",
        "PYBUILD_MAPS": f"{home}/maps",
        "PB_TEST_TOKEN": TOKEN,
    }
    checked = subprocess.run([*command, "-c"], capture_output=True, text=True, env=env)
    assert checked.returncode == 0, checked.stderr
    return subprocess.Popen(command, env=env)


class PlainFiles(SimpleHTTPRequestHandler):
    """A server of plain files such as every HAProxy stands before: ETag and ranges, no rules."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        body = file.read_bytes() if file.is_file() else b""
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        same = self.headers.get("If-None-Match") == tag
        status = 404 if not file.is_file() else 304 if same else 206 if asked else 200
        body = b"" if same else body[int(asked[1]) : int(asked[2]) + 1] if asked else body
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


NGINX_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
ENGINES: dict[str, Start] = {
    "nginx": start_nginx,
    "caddy": start_caddy,
    "apache": start_apache,
    "haproxy": start_haproxy,
    "varnish": start_varnish,
}
SITES = {
    "plain": {"slash": False, "base": "", "strict": True},
    "slash": {"slash": True, "base": "", "strict": False},
    "base": {"slash": False, "base": "/site", "strict": False},
    "both": {"slash": True, "base": "/s.t", "strict": True},
}


@contextmanager
def running(engine: str, tree: Tree, home: Path) -> Iterator[int]:
    """Start an engine and give its port once it answers; end it afterwards."""
    port = free_port()
    process = ENGINES[engine](tree, home, port)
    try:
        for _ in range(1200):
            assert process.poll() is None, f"{engine} ended at its start"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise TimeoutError(f"{engine} does not answer")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=sorted(SITES))
def server(
    request: pytest.FixtureRequest,
    engine: str,
    make_tree: Callable[..., Tree],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """An engine that serves one of the sites."""
    tree = able(engine, make_tree(**SITES[request.param]))
    with running(engine, tree, tmp_path_factory.mktemp(engine)) as port:
        yield engine, tree, port


TARGETS_SEEN = [
    "/",
    "/docs",
    "/docs/",
    "/docs/a",
    "/docs/a/",
    "/docs/a/?x=1&y=%20",
    "/docs/a.html",
    "/docs/a.md",
    "/index.md",
    "/docs.md",
    "/docs/index.html",
    "/docs/a/index.html",
    "/docs/a/index.html/",
    "/docs/a/index.md",
    "/docs/50%25",
    "/docs/50%25/",
    "/docs/50%25.md",
    "/docs/caf%C3%A9%201",
    "/docs/caf%c3%a9%201/",
    "/docs/v1.2",
    "/docs/v1.2/",
    "/docs/$x%7By%7D';",
    "/docs/$x%7By%7D';",
    "/docs/$x%7By%7D';.md",
    "/plain",
    "/plain/",
    "/notes",
    "/notes.md",
    "/notes/",
    "/beta",
    "/api/posts",
    "/api/posts/",
    "/api/posts/1",
    "/api/posts/1/",
    "/api/posts/2",
    "/api/posts/3",
    "/api",
    "/geo.json",
    "/feed.xml",
    "/assets/app.js",
    "/assets/app.js?d=1",
    "/assets/app.js?dd=1&d=",
    "/assets",
    "/404",
    "/404.html",
    "/nope",
    "/nope/",
    "/nope.md",
    "/docs%2Fa",
    "/docs/a%2f",
    "/docs%5Ca",
    "/docs/%2e%2e/plain",
    "/docs/.",
    "/docs/.../a",
    "/docs/../plain",
    "/../plain",
    "/docs//a",
    "//plain",
    "//evil.example/",
    "//evil.example/%2e%2e",
    "/%2f%2fevil.example/",
    "/old/a",
    "/old/a/",
    "/old/a?x=1",
    "/old/50%25",
    "/old/a%2Fb",
    "/old/",
    "/old",
    "/old/a/b",
    "/old/caf%C3%A9",
    "/Old/a",
    "/old/%0d%0aX-Bad:1",
    "/moved",
    "/moved/",
    "/moved/docs/a?x",
    "/moved//evil.example",
    "/out",
    "/out/a/b?c=d",
    "/out/a%20b",
    "/n/12",
    "/n/x",
    "/n/12/",
    "/%C3%A9t%C3%A9/x",
    "/%c3%a9t%c3%a9/x?y",
    "/go",
    "/go?z=2",
    "/who",
    "/guide",
    "/guide/a",
    "/guide/a/",
    "/guide/50%25",
    "/guide/x",
    "/guide/v1.2",
    "/github",
    "/github/",
    "/github/a%2Fb%20c?q=1&r=%26",
    "/github/a/",
    "/githubx",
    "/search/caf%C3%A9%2F/x",
    "/search/a/x?b=%20",
    "/search/a/x/",
    "/github/%2e%2e/x",
    "/github/a/..%2f..%2fx",
    "/github/$x",
    "/out/a&b",
    *(
        f"/{place}/{word}{rest}"
        for place in ("seek", "look", "find")
        for word in ("a", "a&b=c", "a%26b;c+d", "caf%C3%A9%20x", "$1%251", "'x'", "&&&&&&&&&&==++")
        for rest in ("", "/", "/x&y=z/w", "?q=1&r=2")
    ),
    "/docs/a%00",
    "/%zz",
    "/a\\b",
    "/docs/a?x=/y/",
]
OTHERS = [
    ask("/docs/a", "HEAD"),
    ask("/docs/a", "POST"),
    ask("/nope", "POST"),
    ask("/old/a", "POST"),
    ask("/github/x", "POST"),
    ask("/github/x", "HEAD"),
    ask("/github/x", "PUT"),
    *(
        ask(target, method)
        for method in ("OPTIONS", "PUT")
        for target in (
            *(
                "/docs/a",
                "/docs/a/",
                "/docs/a.md",
                "/plain/",
                "/assets/app.js",
                "/404.html",
                "/docs%2Fa",
                "/",
            ),
            *("/nope", "/nope/", "//docs/a", "/old/a", "/old/a/", "/go", "/guide/a", "/who", "/docs/../a"),
            *("/api/posts", "/api/posts/1", "/api/posts/2", "/api/posts/3", "/notes.md", "/notes", "/cors"),
            *("/send/a", "/send", "/github/a", "/search/a/x"),
        )
    ),
    ask("/notes.md", "POST"),
    ask("/send/a"),
    ask("/api/posts/1", "OPTIONS", Origin="https://c.example", Access_Control_Request_Method="GET"),
    ask("/github/x", Cookie="a=1", Authorization="Basic x"),
    ask("/docs/a", "HEAD", Accept="text/markdown"),
    ask("/docs/a/", Accept="text/markdown"),
    ask("/docs/a.md", Accept="text/html"),
    ask("/docs/a", Accept="application/json"),
    ask("/plain", Accept="application/json"),
    ask("/plain", Accept="text/markdown"),
    ask("/notes", Accept="text/markdown"),
    ask("/api/posts", Accept="text/markdown"),
    ask("/docs/50%25", Accept="text/markdown"),
    ask("/docs/caf%C3%A9%201", Accept="text/markdown"),
    ask("/docs/$x%7By%7D';", Accept="text/markdown"),
    ask("/guide/a", Accept="text/markdown"),
    ask("/docs", Accept="text/markdown"),
    ask("/", Accept="text/markdown"),
    ask("/who", host="b.example"),
    ask("/who", host="B.example:8080"),
    ask("/who", Cookie="in=1"),
    ask("/who", Cookie="xin=1; in="),
    *(
        ask(f"/beta?{query}", host=host, X_Beta=header, Cookie=cookie)
        for query in ("preview=on", "preview=off&preview=on", "x=1&preview=on")
        for host in ("www.c.example", "xc.example")
        for header in ("yes", "yess")
        for cookie in ("ab=b", "b=1; ab=b", "ab=c")
    ),
]
COMPARED = ("location", "content-type", "link", "cache-control", "x-all", "x-last", "x-asset", "x-feed")
METHODS = ("allow", "access-control-allow-origin", "access-control-allow-methods")


def expected_of(outcome: Outcome, tree: Tree, method: str) -> dict[str, object]:
    """The part of an outcome that every engine can be held to."""
    seen: dict[str, object] = {"status": outcome.status, "vary": tokens(outcome.header("vary"))}
    if outcome.status == 400:
        return {"status": 400}
    if outcome.status in {204, 405}:
        del seen["vary"]
        listed = (name for name in (*COMPARED, *METHODS) if name != "content-type" or outcome.status == 204)
        return seen | {name: plain(outcome.header(name)) for name in listed}
    if outcome.proxy is not None:
        return {"status": outcome.status}
    seen |= {name: plain(outcome.header(name)) for name in COMPARED}
    seen["content-location"] = unquote(outcome.header("content-location"))
    if not outcome.path:
        del seen["content-type"]
    if outcome.path:
        seen["body"] = b"" if method == "HEAD" else (tree.root / outcome.path).read_bytes()
    return seen


def plain(text: str) -> str:
    text = text.replace("; charset", ";charset").replace("UTF-8", "utf-8")
    return re.sub("%[0-9A-Fa-f]{2}", lambda escape: escape[0].upper(), text).replace("%27", "'")


def tokens(vary: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in vary.split(",") if name.strip()) - {"accept-encoding"}


def seen_of(answer: Answer, expected: dict[str, object]) -> dict[str, object]:
    seen: dict[str, object] = {name: plain(answer.headers.get(name, "")) for name in (*COMPARED, *METHODS)}
    seen |= {"status": answer.status, "vary": tokens(answer.headers.get("vary", "")), "body": answer.body}
    seen["content-location"] = unquote(answer.headers.get("content-location", ""))
    return {name: seen[name] for name in expected}


def under(base: str, request: Request) -> Request:
    return Request(base + request.target, request.method, request.headers)


def differences(server: Server, requests: Iterable[Request]) -> list[object]:
    """What is not answered as `evaluate` says: the request, what it wants, what came."""
    return [found for request in requests if (found := difference(server, request))]


def difference(server: Server, request: Request) -> object:
    engine, tree, port = server
    outcome = evaluate(tree.rules, request, tree.files)
    expected = expected_of(outcome, tree, request.method)
    answer = send(port, request)
    if engine == "apache":  # which puts the scheme and host it was asked under before every path
        asked = next(iter(request.lines("host"))).lower()
        answer.headers["location"] = answer.headers.get("location", "").removeprefix(f"http://{asked}")
        if (expected["status"], answer.status) == (
            400,
            404,
        ):  # its own word for %00 and a way out of a folder
            return None
    seen = seen_of(answer, expected)
    if outcome.proxy is not None and request.method != "HEAD" and seen == expected:
        check_proxied(answer, request, outcome)
    return None if seen == expected else (request, expected, seen)


def check_proxied(answer: Answer, request: Request, outcome: Outcome) -> None:
    assert outcome.proxy is not None
    host, target = outcome.proxy.url.removeprefix("http://").split("/", 1)
    said = json.loads(answer.body)
    assert said | {"target": plain(said["target"])} == {
        "target": plain(f"/{target}"),
        "method": request.method,
        "host": host,
        "authorization": TOKEN,
        "cookie": "",
        "x-app": "1 $2",
    }
    assert "set-cookie" not in answer.headers


def test_addresses(server: Server) -> None:
    assert differences(server, addresses_of(server[1])) == []


def addresses_of(tree: Tree) -> list[Request]:
    """Every address of the table, some that lie beside the base, and the base itself."""
    inside = [under(tree.rules.base, ask(target)) for target in TARGETS_SEEN]
    outside = ("/", "/docs/a", "/sitex", "/site.", "/sxt/docs/a", tree.rules.base or "/")
    return [*inside, *map(ask, outside)]


def test_requests(server: Server) -> None:
    assert differences(server, [under(server[1].rules.base, request) for request in OTHERS]) == []


WORDS = "a B-c x.y 50% é_è $x {d} it's a;b q,r ~n (p) [s] a+b ^$ | `t` %{x} # @ :c &amp; <i>".replace(
    "_", " "
).split(" ")
SLOTS = [
    "",
    "/:one",
    "/:one?",
    "/:one*",
    "/:one+",
    "/pre-:one.x",
    r"/:one(\d{2,3})",
    "/:one/:two*",
    "/:one-:two",
]
VALUES = [
    "x",
    'say "hi"',
    "$uri {x} %{ENV:X} %h",
    r"a\b",
    "';#",
    "{http.request.host}",
    "100%",
    r"a\n",
    r"end\\",
    "\\",
]
LEADS = ["/plain", "/docs/$x{y}';", "/docs/caf%C3%A9 1", "/docs/50%25"]
TAILS = ["", "/a", "/12", "/a/b", "/pre-z%20.x", "/a-b", "/%C3%A9"]


def random_rules(seed: int) -> tuple[str, list[str]]:
    """Settings full of signs that mean something to some engine, and addresses that meet them."""
    chance, tables, targets = random.Random(seed), [], []
    for number in range(40):
        word, other = chance.choice(WORDS), chance.choice(WORDS)
        slots = chance.choice(SLOTS)
        to = "/".join(["", encode(other), *(f":{name}" for name in re.findall(r":(one|two)", slots))])
        kinds = {
            "redirects": {
                "destination": chance.choice(["", "https://b.example"])
                + to
                + chance.choice(["", "?k=v", "#f"]),
                "status": chance.choice([301, 302, 303, 307, 308]),
            },
            "rewrites": {"destination": chance.choice(LEADS)},
            "headers": {"headers.X-All": chance.choice(VALUES)},
        }
        kind = chance.choice(sorted(kinds))
        rows = {"source": f"/r{number}/{literal(word)}{slots}", **kinds[kind]}
        tables.append(
            "\n".join([f"[[{kind}]]", *(f"{key} = {json.dumps(value)}" for key, value in rows.items())])
        )
        targets.append(f"/r{number}/{encode(word)}{chance.choice(TAILS)}")
    return "\n".join(tables), targets


def literal(text: str) -> str:
    """Escape what means something in a source."""
    return re.sub(r"([():*+?{}#])", r"\\\1", text).replace("%", "%25")


@pytest.fixture(scope="module", params=[1, 2, 3])
def hostile(
    request: pytest.FixtureRequest,
    engine: str,
    make_tree: Callable[..., Tree],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Server, list[str]]]:
    rules, targets = random_rules(request.param)
    tree = able(engine, make_tree(more=rules))
    with running(engine, tree, tmp_path_factory.mktemp(engine)) as port:
        yield (engine, tree, port), targets


def test_no_text_of_a_rule_changes_the_file(hostile: tuple[Server, list[str]]) -> None:
    """Rules made of quotes, dollars, braces and regex signs are read back, and mean what they say."""
    server, targets = hostile
    asked = [ask(target + end) for target in targets for end in ("", "?x=1", "/")]
    assert differences(server, asked) == []


UNABLE = {"nginx": {"two-lines", "two-lines-b"}}  # 1.22 sees the first of several lines


def test_accept(server: Server) -> None:
    assert differences(server, visitors_of(server[1], cases_for(server[0]))) == []


def visitors_of(tree: Tree, cases: Sequence[Case]) -> list[Request]:
    """A page of the table, asked for in each way."""
    page = f"{tree.rules.base}/docs/a{'/' if tree.rules.trailing_slash else ''}"
    return [accepting(page, case) for case in cases]


def accepting(page: str, case: Case) -> Request:
    accept = case["accept"]
    lines = [] if accept is None else accept if isinstance(accept, list) else [accept]
    more = {name.replace("-", "_"): value for name, value in case.get("headers", {}).items()}
    return ask(page, case.get("method", "GET"), Accept=lines, **more)


def cases_for(engine: str) -> list[Case]:
    """All but those in which this version of an engine does not see what was asked."""
    blind = UNABLE["nginx"] if engine == "nginx" and nginx_is_old() else ()
    return [case for case in CASES if case["id"] not in blind]


def nginx_is_old() -> bool:
    said = subprocess.run([require("nginx"), "-v"], capture_output=True, text=True).stderr
    return tuple(int(part) for part in said.split("/")[1].split()[0].split(".")) < (1, 23)


def test_not_modified(server: Server) -> None:
    """304 keeps Vary, and a change of the same size is seen."""
    engine, tree, port = server
    slash = "/" if tree.rules.trailing_slash else ""
    request = under(tree.rules.base, ask("/docs/v1.2" + slash, Accept="text/html"))
    page = under(tree.rules.base, ask("/docs/a" + slash, Accept="text/markdown"))
    first = send(port, page)
    again = send(port, Request(page.target, "GET", (*page.headers, ("If-None-Match", first.headers["etag"]))))
    assert (again.status, tokens(again.headers["vary"]), again.body) == (304, {"accept", "x-docs"}, b"")
    file = tree.root / ("docs/v1.2/index.html" if slash else "docs/v1.2.html")
    old = send(port, request)
    if engine == "varnish":
        time.sleep(1.1)  # which may show what it has for a second
    written = file.stat().st_mtime
    file.write_text("VERSION")
    os.utime(file, (written + 1, written + 1))  # a second is all that mtime in an ETag tells
    new = send(
        port, Request(request.target, "GET", (*request.headers, ("If-None-Match", old.headers["etag"])))
    )
    assert (new.status, new.body) == (200, b"VERSION")
    file.write_text("version")


def test_range(server: Server) -> None:
    _, tree, port = server
    slash = "/" if tree.rules.trailing_slash else ""
    answer = send(port, under(tree.rules.base, ask("/docs/a" + slash, Range="bytes=0-3")))
    assert (answer.status, answer.body, tokens(answer.headers["vary"])) == (
        206,
        b"aaaa",
        {"accept", "x-docs"},
    )
