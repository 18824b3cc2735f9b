"""The guide's Accept rewrite, on addresses where plain rules would answer 404."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.build.rules import derive
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.records import File, by_path
from pybuild.rules.evaluate import Request, evaluate

SETTINGS = """
[site]
url = "https://a.example"
title = "A"
[negotiation]
enabled = false
[[rewrites]]
source = "/docs/:slug*"
destination = "/docs/md/:slug*"
has = [{ type = "header", key = "accept", value = "(.*)text/markdown(.*)" }]
[[rewrites]]
source = "/old/:path*"
destination = "/docs/:path*"
"""
FILES = {
    "docs.html": "",
    "docs/a.html": "",
    "docs/a.md": "",
    "docs/b.html": "",
    "docs/b/c.html": "",
    "docs/figure.svg": "",
    "docs/md/index.md": "/docs/md",
    "docs/md/a": "/docs/md/a",
    "docs/md/b/index.md": "/docs/md/b",
    "docs/md/b/c": "/docs/md/b/c",
}
ANSWERS = [  # URL, Accept, the file that answers
    ("/docs", "text/html", "docs.html"),
    ("/docs", "text/markdown", "docs/md/index.md"),
    ("/docs/a", "text/markdown, */*", "docs/md/a"),
    ("/docs/a", "*/*", "docs/a.html"),
    ("/docs/b", "text/markdown", "docs/md/b/index.md"),
    ("/docs/b/c", "text/markdown", "docs/md/b/c"),
    ("/docs/a.md", "text/markdown", "docs/a.md"),
    ("/docs/figure.svg", "text/markdown", "docs/figure.svg"),
    ("/docs/md", "text/markdown", "docs/md/index.md"),
    ("/docs/md/a", "text/markdown", "docs/md/a"),
    ("/docs/md/b", "text/html", "docs/md/b/index.md"),
    ("/old/figure.svg", "*/*", "docs/figure.svg"),
    ("/old/a.md", "text/markdown", "docs/a.md"),
]


@pytest.mark.parametrize(("url", "accept", "path"), ANSWERS)
def test_the_rewrite_leads_to_a_file_or_leaves_the_address(
    url: str, accept: str, path: str, tmp_path: Path
) -> None:
    (tmp_path / "pybuild.toml").write_text(SETTINGS)
    config, findings = load_config(tmp_path, Options())
    files = [File(path, "app/x", f"{n:064}", 1, found) for n, (path, found) in enumerate(FILES.items())]
    rules, found = derive(config, (), by_path(files), ())
    assert [f.message for f in (*findings, *found)] == []
    outcome = evaluate(rules, Request(url, headers=(("accept", accept),)), by_path(files))
    assert (outcome.status, outcome.path) == (200, path)
