"""The walk of folders: where links may lead, and what is never published."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.diagnostics import Diagnostic
from pybuild.files import Found, walk

FILES = (
    ".env",
    ".git/config",
    ".well-known/a.txt",
    "out/index.html",
    "lib/.git/config",
    "lib/a.txt",
    "id_rsa",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in (*FILES, "node_modules/.pnpm/a/a.js", "public/b.txt"):
        (tmp_path / "site" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / file).write_text(file)
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("../.env", "leads to what is never published"),
        ("../.git", "leads to what is never published"),
        ("../.git/config", "leads to what is never published"),
        ("../lib/.git/config", "leads to what is never published"),
        ("../id_rsa", "leads to what is never published"),
        ("../out", "leads into the output"),
        ("../out/index.html", "leads into the output"),
        ("../..", "leaves the site"),
    ],
)
def test_a_link_to_what_is_not_published_is_refused(root: Path, target: str, said: str) -> None:
    (root / "public/x.txt").symlink_to(target)
    refused = [found for found in walk(root, "public", out=root / "out") if isinstance(found, Diagnostic)]
    assert [(one.code, one.location.file, one.message) for one in refused] == [
        ("unsafe-path", "public/x.txt", f"this symlink {said}: {target}")
    ]


@pytest.mark.parametrize("target", ["../lib/a.txt", "../node_modules/.pnpm/a", "../.well-known/a.txt"])
def test_other_links_inside_the_site_are_followed(root: Path, target: str) -> None:
    (root / "public/x").symlink_to(target)
    found = list(walk(root, "public", out=root / "out"))
    assert len(found) == 2 and all(isinstance(one, Found) for one in found)


@pytest.mark.parametrize(
    ("target", "said"), [("/usr", "leaves the site"), (".git", "leads to what is never published")]
)
def test_the_folder_itself_may_be_no_such_link(root: Path, target: str, said: str) -> None:
    (root / "content").symlink_to(target)
    (refused,) = walk(root, "content")
    assert isinstance(refused, Diagnostic)
    assert (refused.location.file, refused.message) == ("content", f"this symlink {said}: {target}")
