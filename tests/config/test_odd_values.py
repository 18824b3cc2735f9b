"""Values that no setting takes are findings, whatever they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.config.loader import load_config
from pybuild.source.site import discover

SITE = 'site = { url = "https://example.com", title = "T" }\n'
DOCS = 'collections.docs = { source = "%s", route = "/docs/[...slug]" }\n'
ODD = [
    ("feed.collections = [1]", "feed.collections.0 must be text in quotes, not 1"),
    ("theme.links = [1]", "theme.links.0 must be a table, not 1"),
    ("theme.css = [[]]", "theme.css.0 must be text in quotes, not a list"),
    ('images.widths = ["640"]', 'images.widths.0 must be a whole number, not "640"'),
    ('build.out = "a\\u0000b"', "build.out holds a zero, which no text holds"),
    (DOCS % "a\\u0000b", "collections.docs.source holds a zero, which no text holds"),
    (DOCS % ("x" * 300), f'the source of the collection docs is no path: "{"x" * 300}"'),
]


@pytest.mark.parametrize(("line", "message"), ODD)
def test_odd_values(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "pybuild.toml").write_text(f"{line}\n{SITE}")
    config, findings = load_config(tmp_path)
    found = (*findings, *discover(config)[2])
    assert ("config-error", message) in [(one.code, one.message) for one in found]
