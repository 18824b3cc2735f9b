"""A site in two languages on a server and on the code of clouds: who asks for a German page gets German."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from harness import run_command
from previewing import fetch, previewed, published

from hosts.edge.test_edge import run as run_edge
from hosts.servers.test_servers import Tree, ask
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.hosts.edge.rules import script
from pybuild.rules.evaluate import evaluate

SITE = Path(__file__).resolve().parents[1] / "cases" / "languages" / "site"
MARKDOWN = "text/markdown, text/html, */*"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages") / "site"
    shutil.copytree(SITE, folder)
    run = run_command(folder, "export", str(folder), "--target", "nginx")
    assert run.code == 0, run.stderr
    return folder


@pytest.mark.parametrize("server", ["nginx", "caddy"])
def test_an_agent_gets_german_markdown_and_a_browser_german_html(server: str, root: Path) -> None:
    if not shutil.which(server):
        pytest.skip(f"{server} is not installed")
    with previewed(root, "--with", server) as (port, _):
        agent = fetch(port, "/base/de/docs/ix", Accept=MARKDOWN)
        assert (agent.status, agent.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
        assert b'lang: "de"\n---\n' in agent.body and b"\n# X auf Deutsch\n" in agent.body
        browser = fetch(port, "/base/de/docs/ix", Accept="text/html")
        twin = b'<link rel="alternate" hreflang="en" href="https://example.com/base/docs/x">'
        assert b'<html lang="de">' in browser.body and twin in browser.body
        missing = fetch(port, "/base/de/team.md")
        assert (missing.status, missing.headers["location"]) == (308, "/base/team.md")
        assert b"<language>de</language>" in fetch(port, "/base/de/rss.xml").body
        assert fetch(port, "/base/de/llms.txt").body.startswith(b"# Beispiel\n\n> Ein Beispiel\n")
        index = json.loads(fetch(port, "/base/de/search.json").body)
        assert ["X auf Deutsch", "/base/de/docs/ix", []] in index


def test_the_code_of_clouds_answers_the_same(root: Path, tmp_path: Path) -> None:
    publication = published(root)
    tree = Tree(tmp_path, publication.rules, dict(publication.files), load_config(root, Options())[0])
    sent = [
        ask("/base/de/docs/ix", Accept=MARKDOWN),
        ask("/base/de/docs/ix", Accept="text/html"),
        ask("/base/de/team.md"),
        ask("/base/de/team", Accept=MARKDOWN),
        ask("/base/fr/docs/x", Accept="text/markdown"),
    ]
    program = script(tree.rules, tree.files, "proxied.js", "forward.js", "serve.js")
    said = [answer[:2] for answer in run_edge(program, tree, sent)]
    assert said == [
        [200, "de/docs/ix.md"],
        [200, "de/docs/ix.html"],
        [308, ""],
        [200, "de/team.html"],
        [200, "fr/docs/x.md"],
    ]
    outcomes = [evaluate(tree.rules, one, tree.files) for one in sent]
    assert said == [[outcome.status, outcome.path] for outcome in outcomes]
