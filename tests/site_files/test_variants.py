"""Parts of `llms-full.txt` that are what they were are not made of their pages again."""

from __future__ import annotations

from pathlib import Path

import pytest
from incremental import assert_same_as_clean, drop, put, run

from pybuild.build import outputs

SETTINGS = """
[site]
url = "https://example.com"
title = "Test"
[build]
git_dates = false
[llms]
full = 1000
split = 1000
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
"""
LONG = "Some words that stand in a text. " * 8


def write_documents(root: Path) -> None:
    put(root, "pybuild.toml", SETTINGS)
    for number in range(12):
        put(root, f"content/docs/d{number:02}.md", f"---\ntitle: Title {number}\n---\n{LONG}\n")


EDITS = {
    "one grows": lambda r: put(r, "content/docs/d05.md", f"---\ntitle: Title 5\n---\n{LONG * 3}\n"),
    "one shrinks": lambda r: put(r, "content/docs/d05.md", "---\ntitle: Title 5\n---\nShort.\n"),
    "one is too long for a part": lambda r: put(r, "content/docs/d05.md", f"# Title 5\n\n{LONG * 9}\n"),
    "one has another title": lambda r: put(r, "content/docs/d05.md", f"---\ntitle: Other\n---\n{LONG}\n"),
    "the first goes": lambda r: drop(r, "content/docs/d00.md"),
    "the last goes": lambda r: drop(r, "content/docs/d11.md"),
    "one comes": lambda r: put(r, "content/docs/d05a.md", "# New\n\nNew.\n"),
    "a part is defaced": lambda r: put(r, "out/docs/llms-full-2.txt", "defaced"),
    "a part is lost": lambda r: drop(r, "out/docs/llms-full-2.txt"),
    "all fits": lambda r: put(r, "pybuild.toml", SETTINGS.replace("full = 1000", "full = 100000")),
    "the title of the site": lambda r: put(r, "pybuild.toml", SETTINGS.replace('"Test"', '"Other"')),
    "only two are left": lambda r: [drop(r, f"content/docs/d{n:02}.md") for n in range(2, 12)],
}


@pytest.mark.parametrize("name", EDITS)
def test_parts_are_the_same_as_from_nothing(name: str, tmp_path: Path) -> None:
    root = tmp_path / "site"
    write_documents(root)
    run(root)
    EDITS[name](root)
    assert_same_as_clean(root, tmp_path / "work")
    write_documents(root)
    assert_same_as_clean(root, tmp_path / "work")


def test_only_variants_of_changed_parts_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_documents(tmp_path)
    assert "out/docs/llms-full-4.txt" in run(tmp_path).files
    read: list[str] = []
    real = outputs.read_output
    monkeypatch.setattr(outputs, "read_output", lambda *given: read.append(given[1]) or real(*given))
    put(tmp_path, "content/docs/d11.md", "---\ntitle: Title 11\n---\nOther.\n")
    run(tmp_path)
    assert (
        {"docs/d11.md"} <= set(read) <= {"docs.md", "docs/d09.md", "docs/d10.md", "docs/d11.md"}
    )  # one lists all
