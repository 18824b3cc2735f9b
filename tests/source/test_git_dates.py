"""Dates of pages: front matter, then git where the clone is whole, else none. Never the clock."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harness import SETTINGS, Files, Run

MakeSite = Callable[[Files], Path]
Export = Callable[..., Run]
DOCS = '[collections.docs]\nsource = "content"\nroute = "/[slug]"\n'
FILES: Files = {
    "pybuild.toml": SETTINGS + DOCS,
    "content/said.md": "---\ndate: 2024-02-03\nupdated: 2024-03-04\n---\n# Said\n",
    "content/silent.md": "# Silent\n",
    "content/größe & co.md": "# Größe\n",
    "app/page.html": "<h1>Home</h1>",
}


def git(root: Path, *words: str, day: str = "2025-01-01") -> None:
    identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": f"{day}T12:00:00+05:00"}
    env = {**os.environ, **identity, **dates, "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, env=env)


@pytest.fixture
def repository(site: MakeSite) -> Path:
    """Two commits: the silent page changed in the second."""
    root = site(FILES)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "one")
    with (root / "content/silent.md").open("a", encoding="utf-8") as page:
        page.write("More.\n")
    git(root, "commit", "--quiet", "-am", "two", day="2025-06-07")
    return root


def lastmods(run: Run) -> Mapping[str, str]:
    rows = re.findall(
        r"<loc>https://example\.com/([^<]*)</loc>(?:<lastmod>([^<]+)</lastmod>)?", run.text("sitemap.xml")
    )
    return dict(rows)


SAID = "2024-03-04T00:00:00+00:00"
KNOWN = {
    "": "",
    "gr%C3%B6%C3%9Fe%20&amp;%20co": "2025-01-01T07:00:00+00:00",
    "said": SAID,
    "silent": "2025-06-07T07:00:00+00:00",
}
UNKNOWN = {**dict.fromkeys(KNOWN, ""), "said": SAID}


def test_front_matter_then_the_last_commit(repository: Path, export: Export) -> None:
    run = export(repository)
    assert (run.findings, lastmods(run)) == ([], KNOWN)
    assert 'lastmod: "2025-06-07T07:00:00+00:00"\n' in run.text("silent.md")
    assert "<item>" in run.text("rss.xml") and "silent" not in run.text("rss.xml")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_zone_of_the_machine_does_not_matter(zone: str, repository: Path, export: Export) -> None:
    assert export(repository, env={"TZ": zone}).tree() == export(repository, env={"TZ": "UTC"}).tree()


def test_a_file_with_changes_has_no_date(repository: Path, export: Export) -> None:
    (repository / "content/silent.md").write_text("# Changed\n", "utf-8")
    (repository / "content/new.md").write_text("# New\n", "utf-8")
    assert lastmods(export(repository)) == {**KNOWN, "silent": "", "new": ""}


def test_a_shallow_clone_knows_no_dates_and_says_so_once(
    repository: Path, export: Export, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", "shallow")
    run = export(tmp_path / "shallow")
    assert (run.code, run.findings, lastmods(run)) == (0, ["warning[shallow-clone]"], UNKNOWN)
    assert "lastmod" not in run.text("silent.md")


def test_without_silent_documents_a_shallow_clone_is_no_matter(
    repository: Path, export: Export, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", "shallow")
    for name in ("silent", "größe & co"):
        (tmp_path / f"shallow/content/{name}.md").write_text("---\nupdated: 2024-01-01\n---\n# x\n", "utf-8")
    assert export(tmp_path / "shallow").findings == []


def test_git_can_be_left_out(repository: Path, export: Export) -> None:
    (repository / "pybuild.toml").write_text(SETTINGS + DOCS + "[build]\ngit_dates = false\n", "utf-8")
    assert lastmods(export(repository)) == UNKNOWN


@pytest.mark.parametrize("env", [{}, {"PATH": "/nonexistent"}], ids=["no repository", "no git"])
def test_without_git_dates_are_left_out(env: Mapping[str, str], site: MakeSite, export: Export) -> None:
    root = site(FILES)
    if env:
        git(root, "init", "--quiet")
    run = export(root, env=env)
    assert (run.code, run.findings, lastmods(run)) == (0, [], UNKNOWN)


def test_a_site_in_a_folder_of_a_repository(repository: Path, export: Export) -> None:
    (repository / "site").mkdir()
    for name in ("app", "content", "pybuild.toml"):
        git(repository, "mv", name, f"site/{name}")
    git(repository, "commit", "--quiet", "-m", "moved", day="2025-08-09")
    run = export(repository / "site")
    assert {k: v[:10] for k, v in lastmods(run).items()} == {
        **dict.fromkeys(KNOWN, "2025-08-09"),
        "": "",
        "said": SAID[:10],
    }


def test_a_hostile_repository_runs_nothing(repository: Path, export: Export) -> None:
    """Settings of a checkout may name programs; reading dates must not start them."""
    (repository / "run.sh").write_text("#!/bin/sh\ntouch pwned\ncat\n", "utf-8")
    (repository / "run.sh").chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "gpg.program"):
        git(repository, "config", key, str(repository / "run.sh"))
    assert export(repository).code == 0
    assert not (repository / "pwned").exists()


def test_dates_without_a_zone_are_in_the_zone_of_the_site(site: MakeSite, export: Export) -> None:
    files = {**FILES, "pybuild.toml": SETTINGS + 'timezone = "America/New_York"\n' + DOCS}
    root = site({**files, "content/said.md": "---\ndate: 2024-07-03 23:30\n---\n# Said\n"})
    assert lastmods(export(root))["said"] == "2024-07-03T23:30:00-04:00"


def test_the_future_is_told_by_source_date_epoch(site: MakeSite, export: Export) -> None:
    root = site({**FILES, "content/said.md": "---\ndate: 2024-07-03\n---\n# Said\n"})
    assert "said.html" not in export(root, env={"SOURCE_DATE_EPOCH": "1719964799"}).files
    assert "said.html" in export(root, env={"SOURCE_DATE_EPOCH": "1719964800"}).files
    assert "said.html" in export(root, "--future", env={"SOURCE_DATE_EPOCH": "0"}).files
