"""Every cloud runtime held against `evaluate`, by the same requests as the servers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from clouds import CLOUDS, able, dialect, running, unzipped
from harness import LONG, SAMPLE, SAMPLE_TIME, run_command

from hosts.edge.test_edge import random_requests
from hosts.servers.test_servers import (
    CASES,
    OTHERS,
    SITES,
    Answer,
    Tree,
    accepting,
    addresses_of,
    ask,
    check_proxied,
    expected_of,
    make_tree,
    plain,
    seen_of,
    send,
    under,
    upstream,
    visitors_of,
)
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.hosts.edge.rules import url_shapes
from pybuild.publish import output_at
from pybuild.publish.publication import load_publication
from pybuild.rules.evaluate import Request, evaluate
from pybuild.urls import encode

__all__ = ["make_tree", "upstream"]


@dataclass(frozen=True)
class Server:
    """A runtime that serves one of the sites."""

    cloud: str
    tree: Tree
    port: int
    home: Path


# Wrangler starts slowly. Both sites are below a base path; the sample site, which it serves too, is not.
SLOW = {"cloudflare": "both", "cloudflare-pages": "base"}
SERVED = [(cloud, site) for cloud in CLOUDS for site in SITES if LONG or SLOW.get(cloud, site) == site]


def differences(server: Server, requests: Iterable[Request]) -> list[object]:
    """Send all requests; what was not as `evaluate` says: the request, what it wanted, what came."""
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda request: difference(server, request), requests)
        return [one for one in found if one]


def difference(server: Server, request: Request) -> object:
    cloud, tree, port = server.cloud, server.tree, server.port
    outcome = evaluate(tree.rules, request, tree.files)
    empty = outcome.status == 204 or (outcome.proxy and request.method == "HEAD")
    if normalised(request) or (cloud == "vercel" and empty):
        return None  # next-on-pages takes an answer without a body for none
    expected = expected_of(outcome, tree, request.method)
    if not expected.get("cache-control"):
        expected.pop("cache-control", None)  # each host has a default of its own
    answer = mended(unzipped(send(port, request)))
    if answer.headers.get("content-encoding") == "br":
        expected.pop("body", None)
    if cloud in UNSURE and outcome.status in {404, 405}:
        expected = unsure(request, expected, answer, tree)
    seen = seen_of(answer, expected)
    if outcome.proxy is not None and request.method != "HEAD" and seen == expected:
        check_proxied(answer, request, outcome)
    return None if seen == expected else (request, expected, seen)


UNSURE = {"vercel", "cloudfront"}  # their code cannot look for a file


def unsure(request: Request, expected: dict[str, object], answer: Answer, tree: Tree) -> dict[str, object]:
    """Where there is no file: the status and the page, or before that the redirect to a final slash, or from one of a file's name."""
    if request.method == "OPTIONS" and answer.status == 204:
        return {"status": 204, "allow": "GET, HEAD, OPTIONS"}
    if tree.rules.trailing_slash and answer.status == 308:
        query = f"?{request.query}" if request.query else ""
        path = request.path.removesuffix("/") if request.path.endswith("/") else f"{request.path}/"
        return {"status": 308, "location": plain(path + query)}
    return {name: expected[name] for name in ("status", "body") if name in expected}


def normalised(request: Request) -> bool:
    """Whether the host reads the address as another one before any code of ours sees it."""
    path = request.path.lower()
    return "/." in path or "%2e" in path or "\\" in path


def mended(answer: Answer) -> Answer:
    """Without what the local runtime of Cloudflare alone does: it writes its own scheme into headers."""
    link = answer.headers.get("link", "").replace("<http://a.example", "<https://a.example")
    return replace(answer, headers={**answer.headers, "link": link})


@pytest.mark.parametrize(("cloud", "site"), SERVED, ids=map("-".join, SERVED))
def test_a_cloud_answers_as_the_rules_say(
    cloud: str, site: str, make_tree: Callable[..., Tree], tmp_path: Path
) -> None:
    """Every address, every kind of visitor, and generated requests, all asked of one server."""
    tree = able(cloud, make_tree(**SITES[site]))
    others = [under(tree.rules.base, request) for request in OTHERS]
    drawn = random_requests(500, accepts=2000) if LONG else random_requests(100, accepts=200)
    with running(cloud, tree, tmp_path) as port:
        server = Server(cloud, tree, port, tmp_path)
        assert differences(server, [*addresses_of(tree), *others]) == []
        assert differences(server, visitors_of(tree, CASES)) == []
        assert differences(server, [under(tree.rules.base, request) for request in drawn]) == []
        check_not_modified(server)
        if cloud == "cloudfront":  # all that the function was asked above, asked again in njs
            assert dialect(tmp_path) == []


def check_not_modified(server: Server) -> None:
    """A 304 keeps Vary."""
    tree, port = server.tree, server.port
    page = f"{tree.rules.base}/docs/a{'/' if tree.rules.trailing_slash else ''}"
    for accept in ("text/markdown", "text/html"):
        tag = send(port, ask(page, Accept=accept)).headers["etag"]
        again = send(port, ask(page, Accept=accept, If_None_Match=tag))
        assert (again.status, again.headers["vary"].lower()) == (304, "accept, x-docs")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The sample site, exported."""
    root = tmp_path_factory.mktemp("sample") / "site"
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("out*", ".pybuild"))
    run = run_command(root, "export", str(root), env=SAMPLE_TIME)
    assert run.code == 0, run.stderr
    config, _ = load_config(root, Options())
    published, _ = load_publication(output_at(root, config.out))
    assert published is not None
    return Tree(config.out, published.rules, dict(published.files), config)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_sample_site(cloud: str, sample: Tree, tmp_path: Path) -> None:
    """Every file by all its addresses, every kind of visitor on two pages, and each redirect."""
    tree = able(cloud, sample)
    urls = sorted({encode(url) or "/" for url in url_shapes(tree.files, twins=False)})
    asked = [ask(url, Accept=accept) for url in urls for accept in ("*/*", "text/markdown")]
    asked += [
        accepting(page, case)
        for page in ("/", "/docs/authentication", "/de/docs/getting-started")
        for case in CASES
    ]
    asked += [
        ask(url) for url in ("/guide/a/b?c=d", "/station/west-isles/x", "/blog?tag=alerts", "/feed", "/no")
    ]
    with running(cloud, tree, tmp_path) as port:
        assert differences(Server(cloud, tree, port, tmp_path), asked) == []
