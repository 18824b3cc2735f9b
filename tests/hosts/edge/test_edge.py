"""The JavaScript that clouds share, in node, against `evaluate`; the data it reads."""

from __future__ import annotations

import json
import random
import re
import string
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from clouds import node
from harness import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from small_rules import PAGES, derived, file

from hosts.servers.test_servers import SITES, Tree, ask, make_tree, under, upstream
from pybuild.hosts.edge.minify import pack, shrink
from pybuild.hosts.edge.rules import edge_rules, script, to_json
from pybuild.rules.evaluate import Request, evaluate

__all__ = ["make_tree", "upstream"]
DRIVER = """
var given = JSON.parse(require('fs').readFileSync(0, 'utf8')), there = {};
given.files.forEach(function (path) { there['/' + path] = true; });
function answer(one) {
  var visit = pbVisit(PB, { path: one.path, query: one.query, method: one.method, host: one.host, header: function (name) {
    return one.headers.filter(function (pair) { return pair[0].toLowerCase() === name; })
      .map(function (pair) { return pair[1]; }).join(name === 'cookie' ? '; ' : ', ');
  } });
  var said = pbRoute(PB, visit), own = [];
  if (said.file) said = there[said.file] ? said.then || said : said.els;
  if (said.call) return [200, '', said.call.url, pbDress(PB, visit, [])];
  if (said.file) {
    own.push(['Content-Type', pbType(PB, said.file)]);
    return [200, said.file.slice(1), '', pbDress(PB, visit, own.concat(said.own))];
  }
  if (said.status === 404 && !said.text) return [404, '404.html', '', pbDress(PB, visit, [['Content-Type', pbType(PB, '/404.html')]])];
  return [said.status, '', '', pbDress(PB, visit, said.headers)];
}
console.log(JSON.stringify(given.requests.map(answer)));
"""


def run(program: str, tree: Tree, requests: Sequence[Request]) -> list[object]:
    """What the program answers: status, file, backend, headers sorted by name in lower case."""
    asked = [
        {
            "path": one.path,
            "query": one.query,
            "method": one.method,
            "host": "a.example",
            "headers": one.headers,
        }
        for one in requests
    ]
    given_ = json.dumps({"files": sorted(tree.files), "requests": asked})
    code = Path(tree.root / "edge.js")
    code.write_text(program + DRIVER)
    ran = subprocess.run([node(), code], input=given_, capture_output=True, text=True, check=True)
    code.unlink()
    return [
        [*said[:3], sorted([name.lower(), value] for name, value in said[3])]
        for said in json.loads(ran.stdout)
    ]


def wanted(tree: Tree, request: Request) -> list[object]:
    outcome = evaluate(tree.rules, request, tree.files)
    headers = sorted([name.lower(), value] for name, value in outcome.headers if name != "ETag")
    return [outcome.status, outcome.path, outcome.proxy.url if outcome.proxy else "", headers]


PIECES = [
    *(
        "docs",
        "a",
        "plain",
        "old",
        "moved",
        "out",
        "guide",
        "github",
        "n",
        "12",
        "api",
        "posts",
        "beta",
        "who",
        "send",
        "seek",
        "find",
        "a&b=c",
        "+;%26",
        "cors",
    ),
    *(
        "index",
        "index.html",
        "index.md",
        "a.md",
        "a.html",
        "v1.2",
        "caf%C3%A9%201",
        "50%25",
        "50%",
        "%zz",
        "%2F",
    ),
    *(
        "notes",
        "notes.md",
        "404",
        "404.html",
        "geo.json",
        "feed.xml",
        "assets",
        "app.js",
        "",
        ".",
        "..",
        "%FF",
        "%C3%A9",
    ),
]
RANGES = [
    "text/markdown",
    "text/html",
    "text/*",
    "*/*",
    "*",
    "application/json",
    "TEXT/Markdown",
    "*/html",
    "foo",
]
WEIGHTS = [
    "",
    ";q=1",
    ";q=0",
    ";q=0.5",
    "; Q=.25",
    ";q=0.2509",
    ";q=2",
    ";q=",
    ";level=1;q=0.7",
    ';n="a,b";q=0.4',
]


def random_requests(count: int, *, accepts: int) -> list[Request]:
    """Paths out of known pieces, and `Accept` fields for one page; the same at every run."""
    chance = random.Random(12)
    paths = ["/" + "/".join(chance.choices(PIECES, k=chance.randint(0, 4))) for _ in range(count)]
    queries = ["", "", "?x=1&y=%20", "?preview=on"]
    sent = [
        ask(path + chance.choice(queries), chance.choice(["GET", "GET", "HEAD", "POST", "OPTIONS", "PUT"]))
        for path in paths
    ]
    fields = (chance.choices(RANGES, k=chance.randint(0, 5)) for _ in range(accepts))
    joined = (", ".join(one + chance.choice(WEIGHTS) for one in field) for field in fields)
    return [*sent, *(ask("/docs/a", Accept=field) for field in joined)]


@pytest.mark.parametrize("site", sorted(SITES))
def test_answers_are_those_of_evaluate(site: str, make_tree: Callable[..., Tree]) -> None:
    tree = make_tree(**SITES[site])
    asked = random_requests(1500, accepts=500) if LONG else random_requests(400, accepts=150)
    sent = [under(tree.rules.base, request) for request in asked]
    program = script(tree.rules, tree.files, "proxied.js", "forward.js", "serve.js")
    for mine, request in zip(run(program, tree, sent), sent, strict=True):
        assert mine == wanted(tree, request), request


def test_less_code_does_the_same(make_tree: Callable[..., Tree]) -> None:
    tree = make_tree()
    sent = random_requests(300, accepts=50)
    data = to_json(edge_rules(tree.rules, tree.files))
    code = script(tree.rules, tree.files, "proxied.js", "forward.js", "serve.js").rpartition("var PB")[0]
    shorter = f"{shrink(code + DRIVER)}"
    (tree.root / "shorter.js").write_text(f"{pack(data)}{shorter}")
    asked = [
        {"path": r.path, "query": r.query, "method": r.method, "host": "", "headers": r.headers} for r in sent
    ]
    given_ = json.dumps({"files": sorted(tree.files), "requests": asked})
    ran = subprocess.run(
        [node(), tree.root / "shorter.js"], input=given_, capture_output=True, text=True, check=True
    )
    answers = [said[:3] for said in json.loads(ran.stdout)]
    assert answers == [wanted(tree, request)[:3] for request in sent]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(alphabet=string.printable + "é\u2028<", max_size=400))
def test_packed_text_is_found_again(text: str) -> None:
    data = to_json([text, text * 2])
    literals = re.search(r"var PB=\[(.*)\];for", pack(data), re.DOTALL)
    assert literals is not None and "\n" not in literals[1]
    parts = [re.sub(r"\\(.)", r"\1", one) for one in re.findall(r"'((?:[^'\\]|\\.)*)'", literals[1])]
    whole = parts[0]
    for piece in parts[1:]:
        whole = whole.replace(piece[0], piece[1:])
    assert whole == data


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_json_is_one_plain_literal(text: str) -> None:
    written = to_json({"text": [text, "</script>"]})
    assert json.loads(written) == {"text": [text, "</script>"]}
    assert written.isascii() and "<" not in written and "\n" not in written


@pytest.mark.parametrize(("slash", "ending"), [(False, "."), (True, "/index.")])
def test_data_does_not_grow_with_pages(tmp_path: Path, slash: bool, ending: str) -> None:
    rules, _, _ = derived(tmp_path)
    written = set()
    for count in (10, 10_000):
        paths = [f"blog/{n}{ending}{kind}" for n in range(count) for kind in ("html", "md")]
        files = {path: file(path) for path in (*PAGES, *paths)}
        written.add(to_json(edge_rules(replace(rules, trailing_slash=slash), files)))
    assert len(written) == 1


def test_exceptions_are_grouped(tmp_path: Path) -> None:
    more = ("api/1", "api/2", "legacy.html", "notes.md", "x/index.html", "docs/v1.2.html", "a.b.html.html")
    rules, files, _ = derived(tmp_path, "", *more)
    assert edge_rules(rules, files)["shapes"] == [
        ["/a\\.b\\.html", "h"],
        ["/docs/v1\\.2", "h"],
        ["/legacy", "h"],
        ["/notes", "h"],
        ["/notes\\.md", "f"],
        ["/x", "i"],
        ["/x/index", "h"],
        ["/api/[^/.]+", "f"],
    ]
