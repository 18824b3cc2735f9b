"""Real web servers held against the export, rightly set up and wrongly."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from harness import LONG, open_up, run_command
from previewing import SETTINGS, free_port, make_site, previewed, published

from pybuild.config.loader import Config, load_config
from pybuild.diagnostics import Diagnostic
from pybuild.hosts import TARGETS, Compiled, compile_rules
from pybuild.publish.publication import Publication
from pybuild.serve.command import NotInstalled, find_program, running
from pybuild.serve.web_servers import ENGINES
from pybuild.verify.client import ClientOptions
from pybuild.verify.command import Verified, verify

BASED = SETTINGS.replace("https://a.example", "https://a.example/base")
SITES = {
    "plain": SETTINGS,
    "base": BASED,
    "slash": "trailing_slash = true\n" + SETTINGS,
    "both": "trailing_slash = true\n" + BASED,
}
Exported = tuple[Publication, Config]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Each of the sites, exported once."""
    made: dict[str, Exported] = {}

    def get(name: str) -> Exported:
        if name not in made:
            root = tmp_path_factory.mktemp(name)
            make_site(root, target="nginx", **{"pybuild.toml": SITES[name].replace("PORT", "9")})
            open_up(root / "out")
            made[name] = (published(root), load_config(root)[0])
        return made[name]

    return get


@contextmanager
def served(engine: str, site: Exported, change: Callable[[str], str] = str) -> Iterator[str]:
    """The address of a real server on the site; `change` is applied to the rule files."""
    try:
        find_program(engine)
    except NotInstalled as fault:
        pytest.skip(str(fault))
    publication, config = site
    compiled = compile_rules(TARGETS[engine], publication.rules, publication.files, config)
    changed = tuple(replace(a, body=change(a.body.decode()).encode()) for a in compiled.deploy)
    compiled = Compiled(compiled.site, changed)
    place = ("127.0.0.1", free_port())
    with running(engine, publication, compiled, place) as process:
        assert not isinstance(process, Diagnostic), process
        yield f"http://127.0.0.1:{place[1]}{publication.rules.base}"


def held(url: str, site: Exported) -> Verified:
    return verify(url, *site, ClientOptions(jobs=4), lambda *_: None)


def messages(url: str, site: Exported) -> list[str]:
    return [finding.message for finding in held(url, site).findings]


@pytest.mark.parametrize(
    ("engine", "name"),
    [(engine, name) for engine in ENGINES for name in SITES if LONG or engine != "varnish" or name == "both"],
)  # varnish compiles for seconds; tests/hosts/servers has it on all four
def test_a_right_server_passes(exported: Callable[[str], Exported], engine: str, name: str) -> None:
    with served(engine, exported(name)) as url:
        done = held(url, exported(name))
    assert [finding.message for finding in done.findings] == []
    assert done.requests > 40


def test_the_preview_passes(exported: Callable[[str], Exported]) -> None:
    site = exported("plain")
    with previewed(site[1].root) as (port, _):
        assert messages(f"http://127.0.0.1:{port}/", site) == []


def test_a_site_below_another_path_passes(exported: Callable[[str], Exported]) -> None:
    """A deployment to try things out lies elsewhere than the real one."""
    site = exported("plain")
    publication = replace(site[0], rules=replace(site[0].rules, base="/pull/7"))
    with served("nginx", (publication, site[1])) as url:
        assert url.endswith("/pull/7")
        assert messages(url, site) == []


def sub(pattern: str, by: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text)


TESTER = "one whom pybuild.toml:15 means"  # by a cookie
AGENT, BROWSER, READER = "an agent", "a browser", "a client that takes Markdown but prefers HTML"
PAGES = "/, /docs/a, /docs/caf%C3%A9%201"
TEXT = '"text/plain; charset=utf-8" in place of "text/markdown; charset=utf-8"'
PLANTED = {
    "no-vary": (
        sub(r"(?m)^add_header Vary \S+vary always;$", ""),
        {
            f"{PAGES}: lacks Vary: Accept",
            f"{PAGES}: lacks Vary: Accept on 304 (asked by {BROWSER} and {AGENT})",
            f"/beta: lacks Vary: Accept (asked by {TESTER})",
        },
    ),
    "substring": (
        sub(r'(?s)map "[^"]*" (\S+_rep) \{.*?\n\}', r'map $http_accept \1 { default html; "~text/markdown" md; }'),
        {
            f'{PAGES}: has the type "text/markdown; charset=utf-8" in place of "text/html; charset=utf-8" (asked by {READER})',
            f"{PAGES}: shows Markdown in place of HTML (asked by {READER})",
        },
    ),
    "html-first": (
        sub(r'(?s)map "[^"]*" (\S+_rep) \{.*?\n\}', r'map $http_accept \1 { default html; "~^text/markdown$" md; }'),
        {
            f'{PAGES}: has the type "text/html; charset=utf-8" in place of "text/markdown; charset=utf-8" (asked by {AGENT})',
            f"{PAGES}: shows HTML in place of Markdown (asked by {AGENT})",
            f"{PAGES}: lacks Content-Location, which says where this Markdown has its own address (asked by {AGENT})",
        },
    ),
    "no-content-location": (
        sub(r"(?m)^add_header Content-Location \S+;$", ""),
        {f"{PAGES}: lacks Content-Location, which says where this Markdown has its own address (asked by {AGENT})"},
    ),
    "condition": (
        sub(r"\(\?:b\)", "(?:c)"),
        {f"/beta: answers 404 in place of 200 (asked by {TESTER})"},
    ),
    "type": (
        sub('"text/markdown" md;', '"text/plain" md;'),
        {
            f"{PAGES}: has the type {TEXT} (asked by {AGENT})",
            f"/docs/a.md, /docs/caf%C3%A9%201.md, /index.md: has the type {TEXT}",
        },
    ),
    "status": (
        sub(r"return 308", "return 301"),
        {"/docs/a/?verify=1, /docs/caf%C3%A9%201/?verify=1, /old/verify?verify=1: answers 301 in place of 308"},
    ),
    "query": (
        sub(r"from=old\$\{\S+amp\}", "from=old"),
        {'/old/verify?verify=1: leads to "/docs/verify?from=old" in place of "/docs/verify?from=old&verify=1"'},
    ),
    "soft-404": (
        sub(r"error_page 404 @", "error_page 404 =200 @"),
        {"/verify-*: answers 200 in place of 404"},
    ),
    "bare-404": (
        sub(r"(?m)^error_page 404 .*$", ""),
        {"/verify-*: has other bytes than the export: it is stale, or changed on the way"},
    ),
    "header": (
        sub('"no-cache"', '"max-age=9"'),
        {
            "6 addresses, among them /docs/a, /docs/a.md, /docs/a/?verify=1: "
            'has Cache-Control: "max-age=9" in place of "no-cache"'
        },
    ),
    "handler-type": (
        sub(r"(?m)^.*/api/posts.*$", ""),
        {'/api/posts: has the type "application/octet-stream" in place of "application/json"'},
    ),
    "no-canonical": (
        sub(r"(?m)^add_header Link .*$", ""),
        {"/docs/a.md, /docs/caf%C3%A9%201.md, /index.md: lacks Link, which says which page is canonical"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(exported: Callable[[str], Exported], fault: str) -> None:
    change, wanted = PLANTED[fault]
    with served("nginx", exported("plain"), change) as url:
        found = {
            re.sub(r"verify-[0-9a-f]{12}", "verify-*", text) for text in messages(url, exported("plain"))
        }
    assert found == wanted


def test_a_stale_file_is_found(exported: Callable[[str], Exported]) -> None:
    site = exported("plain")
    page = site[0].output.out / "docs/a.html"
    fresh = page.read_bytes()
    with served("nginx", site) as url:
        page.write_bytes(b"x" * len(fresh))
        found = messages(url, site)
        page.write_bytes(fresh)
    stale = "has other bytes than the export: it is stale, or changed on the way"
    assert found == [
        f"/beta: {stale} (asked by {TESTER})",
        f"/docs/a: {stale} (asked by {BROWSER} and {READER})",
    ]


def test_a_cache_that_mixes_representations_is_found(exported: Callable[[str], Exported]) -> None:
    """A cache by address alone shows people what an agent asked for."""
    with served("nginx", exported("plain")) as url, cache_of(url) as cached:
        found = messages(cached, exported("plain"))
    pages = "/docs/a, /docs/caf%C3%A9%201"  # a browser was first to ask for the home page
    assert f"{pages}: shows Markdown in place of HTML (asked by {BROWSER} and {READER})" in found
    assert f"/: shows HTML in place of Markdown (asked by {AGENT})" in found


@contextmanager
def cache_of(url: str) -> Iterator[str]:
    """A cache in front of a site that knows no Vary."""
    kept: dict[tuple[str, str], tuple[int, list[tuple[str, str]], bytes]] = {}
    host = url.removeprefix("http://")

    class Cache(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = (self.command, self.path)
            if key not in kept:
                connection = http.client.HTTPConnection(host, timeout=10)
                connection.request(
                    self.command, self.path, headers={"Accept": self.headers.get("Accept", "")}
                )
                answer = connection.getresponse()
                kept[key] = (answer.status, answer.getheaders(), answer.read())
                connection.close()
            status, headers, body = kept[key]
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cache)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_compressed_answers_pass(exported: Callable[[str], Exported]) -> None:
    """Some hosts compress although nobody asked for it."""
    forced = sub(r"gzip_vary on;", "gzip_vary on; gunzip off; gzip on; gzip_min_length 1;")
    with served("nginx", exported("plain"), forced) as url:
        assert messages(url, exported("plain")) == []


def test_the_command(exported: Callable[[str], Exported]) -> None:
    site = exported("plain")
    with served("nginx", site, PLANTED["status"][0]) as url:
        done = run_command(
            site[1].root, "verify", url, str(site[1].root), "--format", "json", "--sample", "1"
        )
        text = run_command(site[1].root, "verify", url, str(site[1].root))
    assert (done.code, done.summary["ok"], [d["code"] for d in done.summary["diagnostics"]]) == (
        1, False, ["verify-mismatch"],
    )  # fmt: skip
    assert 10 < done.summary["requests"] < 60
    assert text.code == 1
    assert "error[verify-mismatch]: /docs/a/?verify=1" in text.stderr


def test_a_passing_command(exported: Callable[[str], Exported]) -> None:
    site = exported("plain")
    with served("nginx", site) as url:
        done = run_command(site[1].root, "verify", url, str(site[1].root))
    assert (done.code, done.stderr) == (0, "")
    assert re.fullmatch(rf"{url} is as exported: \d+ requests to \d+ addresses in [\d.]+ s\n", done.stdout)


@pytest.mark.parametrize(
    "url", ["a.example", "ftp://a.example", "https://", "https://a.example/?x", "https://a/#x"]
)
def test_a_wrong_address(exported: Callable[[str], Exported], url: str) -> None:
    root = exported("plain")[1].root
    done = run_command(root, "verify", url, str(root))
    assert done.code == 2
    assert f'"{url}" is no address of a site; write it as in https://example.com' in done.stderr


def test_a_host_that_does_not_answer(exported: Callable[[str], Exported]) -> None:
    found = held("http://127.0.0.1:1/", exported("plain")).findings
    assert [(one.code, one.message) for one in found] == [
        (
            "verify-unreachable",
            "http://127.0.0.1:1/ does not answer: ConnectError: All connection attempts failed",
        )
    ]


def test_nothing_exported(tmp_path: Path) -> None:
    (tmp_path / "pybuild.toml").write_text(SETTINGS)
    done = run_command(tmp_path, "verify", "http://127.0.0.1:1", str(tmp_path))
    assert done.code == 1
    assert done.stderr.startswith("error[not-exported]: pybuild has not published a site to out")


def test_a_host_that_leads_to_another(exported: Callable[[str], Exported]) -> None:
    class Away(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", f"https://b.example{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Away)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    (found,) = held(url, exported("plain")).findings
    server.shutdown()
    assert (found.code, found.message, found.hint) == (
        "verify-unreachable", f"{url}/ leads to https://b.example/", "verify https://b.example",
    )  # fmt: skip
