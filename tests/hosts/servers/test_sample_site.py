"""The sample site on every web server: each address, every kind of visitor, what a visitor may do with a page."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import LONG, SAMPLE_TIME, copy_sample, run_command
from previewing import previewed

from hosts.edge.test_edge import random_requests
from hosts.servers.test_servers import (
    COMPARED,
    ENGINES,
    TOKEN,
    Answer,
    Server,
    Tree,
    accepting,
    ask,
    cases_for,
    differences,
    running,
    send,
    tokens,
    upstream,
)
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.hosts.edge.rules import url_shapes
from pybuild.publish import output_at
from pybuild.publish.publication import load_publication
from pybuild.rules.evaluate import Request, evaluate
from pybuild.urls import encode

__all__ = ["upstream"]
FIELDS, PATHS = (2000, 500) if LONG else (200, 100)  # how many are generated
PAGES = ("/", "/about", "/docs/authentication")  # the last is what a rewrite leads agents to a handler from


@pytest.fixture(scope="module")
def sample(upstream: int, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The sample site, exported; its live API is a server of ours."""
    root = copy_sample(tmp_path_factory.mktemp("sample") / "site")
    settings = (root / "pybuild.toml").read_text("utf-8")
    settings = settings.replace("https://gauges.tidewater.example", f"http://127.0.0.1:{upstream}")
    settings = settings.replace("TIDEWATER_ORIGIN_TOKEN", "PB_TEST_TOKEN")
    (root / "pybuild.toml").write_text(settings, "utf-8")
    run = run_command(root, "export", str(root), "--target", "nginx", env=SAMPLE_TIME)
    assert run.code == 0, run.stderr
    config, _ = load_config(root, Options())
    published, _ = load_publication(output_at(root, config.out))
    assert published is not None
    return Tree(config.out, published.rules, dict(published.files), config)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def server(
    request: pytest.FixtureRequest, sample: Tree, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with running(request.param, sample, tmp_path_factory.mktemp(request.param)) as port:
        yield request.param, sample, port


def addresses(tree: Tree) -> list[str]:
    return sorted({encode(url) or "/" for url in url_shapes(tree.files, twins=False)})


@pytest.mark.parametrize("accept", ["*/*", "text/markdown", "text/html;q=0.5, text/markdown;q=0.4"])
def test_every_address(server: Server, accept: str) -> None:
    assert differences(server, [ask(url, Accept=accept) for url in addresses(server[1])]) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_visitor(server: Server, page: str) -> None:
    assert differences(server, [accepting(page, case) for case in cases_for(server[0])]) == []


FUNCTIONS = [
    ask("/about", "HEAD"),
    ask("/about", "HEAD", Accept="text/markdown"),
    ask("/about", "POST"),
    ask("/about/?x=1&y=%20"),
    ask("/%61bout", Accept="text/markdown"),
    ask("/about%2F"),
    ask("/docs%2Fauthentication"),
    ask("/about.md", Accept="text/html"),
    ask("/about.html", Accept="text/markdown"),
    ask("/api/stations"),
    ask("/api/stations/"),
    ask("/data/../about"),
    ask("/guide/a/b?c=d"),
    ask("/guide/caf%C3%A9"),
    ask("/station/west-isles/x"),
    ask("/station/elsewhere/x"),
    ask("/blog?tag=alerts"),
    ask("/blog?tag=other"),
    ask("/blog"),
    ask("/feed"),
    ask("/404"),
    ask("/no/such/page"),
    ask("/no/such/page", "HEAD"),
    ask("/no-such.md", Accept="text/markdown"),
]


def test_functions(server: Server) -> None:
    assert differences(server, FUNCTIONS) == []


@pytest.mark.parametrize("accept", ["text/html", "text/markdown"])
def test_a_page_is_revalidated_and_read_in_parts(server: Server, accept: str) -> None:
    *_, port = server
    whole = send(port, ask("/about", Accept=accept))
    again = send(port, ask("/about", Accept=accept, If_None_Match=whole.headers["etag"]))
    assert (again.status, again.body, "accept" in tokens(again.headers["vary"])) == (304, b"", True)
    part = send(port, ask("/about", Accept=accept, Range="bytes=0-9"))
    assert (part.status, part.body, "accept" in tokens(part.headers["vary"])) == (206, whole.body[:10], True)
    where = whole.headers.get("content-location", "")
    assert [one.headers.get("content-location", "") for one in (again, part)] == [where, where]
    assert where == ("/about.md" if accept == "text/markdown" else "")


def test_the_live_api_gets_the_token_and_nothing_of_the_visitor(server: Server) -> None:
    answer = send(server[2], ask("/v1/readings/a%20b?since=1", Cookie="a=1", Authorization="Basic x"))
    assert (answer.status, b'"target": "/v1/readings/a%20b?since=1"' in answer.body) == (200, True)
    assert TOKEN.encode() in answer.body and b"a=1" not in answer.body


def test_the_preview_agrees_with_nginx(sample: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every generated request, but where nginx cannot see what was asked."""
    monkeypatch.setitem(os.environ, "PB_TEST_TOKEN", TOKEN)
    chance = random.Random(8)
    asked = [ask(url, Accept=accept) for url in addresses(sample) for accept in ("*/*", "text/markdown")]
    asked += [ask(chance.choice(PAGES), Accept=field) for field in generated_fields(FIELDS)]
    asked += [*FUNCTIONS, *random_requests(PATHS, accepts=0)]
    with running("nginx", sample, tmp_path) as nginx, previewed(sample.config.root) as (preview, _):
        differing = [r for r in asked if shown(nginx, r, "a.example") != shown(preview, r, "localhost")]
    assert [(r, evaluate(sample.rules, r, sample.files).status) for r in differing] == []


def test_generated_requests(server: Server) -> None:
    """Accept fields without the two kinds that regexes read more simply; and paths."""
    chance = random.Random(8)
    asked = [ask(chance.choice(PAGES), Accept=field) for field in generated_fields(FIELDS)]
    assert differences(server, [*asked, *random_requests(PATHS, accepts=0)]) == []


def generated_fields(count: int) -> list[str]:
    """As many without a quoted string and with no range twice."""
    asked = (request.lines("accept") for request in random_requests(0, accepts=4 * count))
    fields = [lines[0] for lines in asked if lines and '"' not in lines[0] and is_single(lines[0])]
    assert len(fields) >= count
    return fields[:count]


def is_single(field: str) -> bool:
    """Whether no range stands twice: nginx then takes the first weight."""
    ranges = [one.partition(";")[0].strip().lower() for one in field.split(",")]
    return len(ranges) == len(set(ranges))


def shown(port: int, request: Request, host: str) -> object:
    headers = tuple(pair for pair in request.headers if pair[0].lower() != "host")
    answer: Answer = send(port, Request(request.target, request.method, (("Host", host), *headers)))
    if answer.status in {400, 405} or (request.method, answer.status) == ("OPTIONS", 404):
        return answer.status  # each server has a text of its own for these
    values = {name: answer.headers.get(name, "") for name in (*COMPARED, "content-location")}
    if answer.headers.get("location"):  # each server has a text of its own for redirects
        return answer.status, values | {"content-type": ""}
    return answer.status, values, tokens(answer.headers.get("vary", "")), answer.body
