"""The preview held against the table of requests that every engine answers, and against nginx at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from harness import LONG
from previewing import previewed

from hosts.servers.test_servers import (
    CASES,
    OTHERS,
    SITES,
    TARGETS_SEEN,
    TOKEN,
    Answer,
    Server,
    Tree,
    able,
    addresses_of,
    ask,
    differences,
    make_tree,
    running,
    send,
    tokens,
    under,
    upstream,
    visitors_of,
)
from pybuild.publish import output_at
from pybuild.publish.manifest import save_rows
from pybuild.publish.publication import memo
from pybuild.rules.evaluate import Request
from pybuild.serve.command import NotInstalled, find_program

__all__ = ["make_tree", "upstream"]  # fixtures of the table
HOSTS = ("a.example", "b.example", "c.example", "www.c.example", "xc.example")
RANGES = (
    "text/html",
    "text/markdown",
    "text/*",
    "*/*",
    "*",
    "image/png",
    "text/plain",
    "text/markdown-x",
    "TEXT/Markdown",
)
WEIGHTS = (
    "",
    ";q=1",
    ";q=0",
    ";q=0.5",
    ";q=.2",
    ";q=0.123",
    ";q=1.000",
    ";charset=utf-8",
    ";v=b3;q=0.9",
    "; q=0.7",
)
PIECES = ["docs", "a", "plain", "old", "moved", "out", "n", "12", "beta", "guide", "github", "api", "posts", "1", "v1.2",
          "geo.json", "assets", "app.js", "index.html", "index.md", "a.md", "a.html", "404.html", "50%25", "caf%C3%A9%201",
          "%C3%A9t%C3%A9", "nope", "..", ".", "", "%2e%2e", "%2F", "%2f", "A", "$x%7By%7D';", "~", "%20", "go", "who"]  # fmt: skip


@contextmanager
def preview_of(tree: Tree) -> Iterator[int]:
    """Publish the tree as an export would have, and preview it."""
    output = output_at(tree.config.root, tree.root)
    output.state.mkdir(parents=True, exist_ok=True)
    save_rows(output.manifest, output.key, tree.files.values(), memo(tree.rules, "static"))
    allowed = [word for host in HOSTS for word in ("--allowed-host", host)]
    with previewed(tree.config.root, *allowed, PB_TEST_TOKEN=TOKEN) as (port, _):
        yield port


@pytest.fixture(scope="module", params=sorted(SITES))
def preview(request: pytest.FixtureRequest, make_tree: Callable[..., Tree]) -> Iterator[Server]:
    tree = make_tree(**SITES[request.param])
    with preview_of(tree) as port:
        yield "preview", tree, port


def test_the_table_of_addresses(preview: Server) -> None:
    assert differences(preview, addresses_of(preview[1])) == []


def test_the_table_of_requests(preview: Server) -> None:
    assert differences(preview, [under(preview[1].rules.base, request) for request in OTHERS]) == []


def test_every_accept_field(preview: Server) -> None:
    assert differences(preview, visitors_of(preview[1], CASES)) == []


def generated(rng: random.Random) -> Request:
    """A request of any kind: address, query, method, host, Accept and cookies."""
    target = (
        rng.choice(TARGETS_SEEN)
        if rng.random() < 0.4
        else "/" + "/".join(rng.choices(PIECES, k=rng.randint(1, 4)))
    )
    if rng.random() < 0.3 and "?" not in target:
        target += "?" + quote(rng.choice(["x=1", "preview=on", "d=1", "a=%20&b", "é", ""]), safe="%&=")
    accept = ", ".join(rng.choice(RANGES) + rng.choice(WEIGHTS) for _ in range(rng.randint(0, 4)))
    headers = {"Accept": accept} if accept else {}
    if rng.random() < 0.2:
        headers["Cookie"] = rng.choice(["in=1", "ab=b", "ab=c; in="])
    return ask(target, rng.choice(["GET"] * 8 + ["HEAD", "POST"]), rng.choice(HOSTS), **headers)


def alike(answer: Answer, request: Request) -> tuple[object, ...]:
    """What two servers must have in common."""
    if answer.status in {400, 405}:
        return (answer.status,)
    names = ("location", "link", "cache-control", "x-all", "x-last", "x-asset", "x-feed")
    head = tuple(answer.headers.get(name, "") for name in names)
    own = answer.status in {301, 302, 303, 307, 308}
    kind = "" if own else answer.headers.get("content-type", "").replace(" ", "").lower()
    body = b"" if own else answer.body
    return answer.status, tokens(answer.headers.get("vary", "")), head, kind, body


def once(field: str) -> bool:
    """Whether no range is named twice; there nginx takes the first weight, the rules the highest."""
    names = [member.partition(";")[0].strip().lower().replace("*/*", "*") for member in field.split(",")]
    return len(names) == len(set(names))


@pytest.mark.parametrize("site", sorted(SITES))
def test_nginx_answers_alike(make_tree: Callable[..., Tree], tmp_path: Path, site: str) -> None:
    """100 generated requests to each of four sites, or 500."""
    try:
        find_program("nginx")
    except NotInstalled as fault:
        pytest.skip(str(fault))
    tree, rng = able("nginx", make_tree(**SITES[site])), random.Random(site)
    requests = [
        request
        for request in (generated(rng) for _ in range(600 if LONG else 120))
        if once(", ".join(request.lines("accept")))
    ]
    with preview_of(tree) as ours, running("nginx", tree, tmp_path) as theirs:
        for request in (under(tree.rules.base, one) for one in requests):
            expected = alike(send(theirs, request), request)
            assert alike(send(ours, request), request) == expected, request
