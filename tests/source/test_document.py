"""Documents of a collection: where they answer."""

from __future__ import annotations

from pathlib import Path

from pybuild.config.loader import load_config
from pybuild.source.site import discover

SETTINGS = """[site]
url = "https://example.com"
title = "Test"

[collections.docs]
source = "content"
route = "/docs/[...slug]"
"""


def test_an_address_is_as_long_as_a_path_may_be(tmp_path: Path) -> None:
    folder = tmp_path / "content" / "/".join(["d" * 190] * 5)
    folder.mkdir(parents=True)
    (tmp_path / "pybuild.toml").write_text(SETTINGS)
    for name in ("a" * 30, "b" * 45):
        (folder / f"{name}.md").write_text("# Text\n")
    config, _ = load_config(tmp_path)
    site, _, findings = discover(config)
    assert [entry.slug[-30:] for entry in site.collections["docs"]] == ["a" * 30]
    assert [(one.code, one.message) for one in findings] == [
        ("invalid-static-params", "the address of this document cannot be a path: it is over 1000 bytes long")
    ]
