"""Every cloud runtime held against `evaluate`, by the same requests as the servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pybuild.rules.evaluate import Request, evaluate
from targets.clouds import CLOUDS, running, unzipped
from targets.test_engines import (
    CASES,
    OTHERS,
    SITES,
    TARGETS_SEEN,
    Answer,
    Tree,
    ask,
    check_proxied,
    expected_of,
    make_tree,
    seen_of,
    send,
    under,
    upstream,
)

__all__ = ["make_tree", "upstream"]
Server = tuple[str, Tree, int]


@pytest.fixture(scope="module", params=[(cloud, site) for cloud in CLOUDS for site in SITES], ids="-".join)
def server(
    request: pytest.FixtureRequest, make_tree: Callable[..., Tree], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    cloud, site = request.param
    tree = make_tree(**SITES[site])
    with running(cloud, tree, tmp_path_factory.mktemp(cloud)) as port:
        yield cloud, tree, port


def differences(server: Server, requests: Iterable[Request]) -> list[object]:
    """Send all requests; what was not as `evaluate` says: the request, what it wanted, what came."""
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda request: difference(server, request), requests)
        return [one for one in found if one]


def difference(server: Server, request: Request) -> object:
    _, tree, port = server
    if normalised(request):
        return None
    outcome = evaluate(tree.rules, request, tree.files)
    expected = expected_of(outcome, tree, request.method)
    if not expected.get("cache-control"):
        expected.pop("cache-control", None)  # each host has a default of its own
    answer = mended(unzipped(send(port, request)))
    seen = seen_of(answer, expected)
    if outcome.proxy is not None and request.method != "HEAD" and seen == expected:
        check_proxied(answer, request, outcome)
    return None if seen == expected else (request, expected, seen)


def normalised(request: Request) -> bool:
    """Whether the host reads the address as another one before any code of ours sees it."""
    path = request.path.lower()
    return "/." in path or "%2e" in path or "\\" in path


def mended(answer: Answer) -> Answer:
    """Without what the local runtime of Cloudflare alone does: it writes its own scheme into headers."""
    link = answer.headers.get("link", "").replace("<http://a.example", "<https://a.example")
    return replace(answer, headers={**answer.headers, "link": link})


def test_addresses(server: Server) -> None:
    base = server[1].rules.base
    inside = [under(base, request) for request in (*map(ask, TARGETS_SEEN), *OTHERS)]
    outside = [ask(target) for target in ("/", "/docs/a", "/sitex", "/site.", "/sxt/docs/a", base or "/")]
    assert differences(server, [*inside, *outside]) == []


def test_accept(server: Server) -> None:
    rules = server[1].rules
    target = f"{rules.base}/docs/a{'/' if rules.trailing_slash else ''}"
    assert differences(server, (accepting(target, case) for case in CASES)) == []


def accepting(target: str, case: dict) -> Request:
    accept = case["accept"]
    lines = [] if accept is None else accept if isinstance(accept, list) else [accept]
    more = {name.replace("-", "_"): value for name, value in case.get("headers", {}).items()}
    return ask(target, case.get("method", "GET"), Accept=lines, **more)


def test_not_modified(server: Server) -> None:
    """A 304 keeps Vary."""
    _, tree, port = server
    page = f"{tree.rules.base}/docs/a{'/' if tree.rules.trailing_slash else ''}"
    for accept in ("text/markdown", "text/html"):
        tag = send(port, ask(page, Accept=accept)).headers["etag"]
        again = send(port, ask(page, Accept=accept, If_None_Match=tag))
        assert (again.status, again.headers["vary"].lower()) == (304, "accept, x-docs")
