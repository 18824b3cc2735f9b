"""Hostile output folders: refused before any work, with the reason, and nothing touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pybuild.diagnostics import Diagnostic, Location
from pybuild.publish import check_out

OWN = "name a folder of its own for the output, such as --out out"
WRITE = "let this user write there, or choose another folder with --out"

HOSTILE = [
    ("/", "is the root of the file system"),
    ("{home}", "is your home folder or holds it"),
    ("{home}/..", "is your home folder or holds it"),
    (".", "is the site itself"),
    ("..", "holds the site"),
    ("../..", "is your home folder or holds it"),
    ("out/..", "is the site itself"),
    ("app", "lies in app/, which the site is made from"),
    ("app/docs/out", "lies in app/, which the site is made from"),
    ("content", "lies in content/, which the site is made from"),
    ("templates/x", "lies in templates/, which the site is made from"),
    ("public", "lies in public/, which the site is made from"),
    ("lib", "lies in lib/, which the site is made from"),
    ("./app/../public/out", "lies in public/, which the site is made from"),
    (".git", "lies in .git"),
    (".git/out", "lies in .git"),
    (".pybuild/out", "lies in .pybuild"),
    ("data/posts", "lies in data/posts/, which the site is made from"),
    ("data", "holds data/posts/, which the site is made from"),
    ("../shared/docs", "lies in ../shared/docs/, which the site is made from"),
    ("to-app", "lies in app/, which the site is made from"),
    ("to-app/out", "lies in app/, which the site is made from"),
    ("to-site", "is the site itself"),
    ("to-home/x/..", "is your home folder or holds it"),
    ("pybuild.toml", "is not a folder"),
    ("pybuild.toml/out", "cannot be made: {site}/pybuild.toml is not a folder"),
    ("pipe", "is not a folder"),
]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "home/work/site"
    for folder in ("app/docs", "content", "public", ".git", "data/posts", "../shared/docs"):
        (site / folder).mkdir(parents=True)
    (site / "pybuild.toml").write_text("[site]")
    os.mkfifo(site / "pipe")
    for name, target in {"to-app": "app", "to-site": ".", "to-home": "../..", "loop": "loop"}.items():
        (site / name).symlink_to(target)
    return site


def world(site: Path) -> list[tuple[str, int, int]]:
    top = site.parents[2]
    return sorted((str(p), p.lstat().st_mtime_ns, p.lstat().st_mode) for p in top.rglob("*"))


def check(site: Path, out: str) -> tuple[Diagnostic, ...]:
    home = site.parents[1]
    sources = ["data/posts", "../shared/docs", "."]
    return check_out(site, site / out.format(home=home), sources=sources, home=home)


@pytest.mark.parametrize(("out", "reason"), HOSTILE)
def test_a_hostile_output_is_refused_and_nothing_is_touched(site: Path, out: str, reason: str) -> None:
    before = world(site)
    shown = site / out.format(home=site.parents[1])
    message = f"the output folder {shown} {reason.format(site=site)}"
    assert check(site, out) == (Diagnostic("unsafe-out", message, hint=OWN),)
    assert world(site) == before


@pytest.mark.parametrize(
    "out", ["out", "dist/site", "../public_html", "data/out", "application", ".output", "a\nb"]
)
def test_a_folder_of_its_own_is_fine(site: Path, out: str) -> None:
    assert check(site, out) == ()


def test_the_finding_stands_where_the_settings_name_the_folder(site: Path) -> None:
    at = Location("pybuild.toml", 7)
    message = f"the output folder {site}/app lies in app/, which the site is made from"
    assert check_out(site, site / "app", location=at) == (Diagnostic("unsafe-out", message, at, OWN),)


@pytest.mark.parametrize("out", ["loop", "loop/out", "a\0b"])
def test_what_cannot_be_a_path_is_refused(site: Path, out: str) -> None:
    (finding,) = check(site, out)
    assert (finding.code, finding.hint) == ("unsafe-out", OWN)
    assert finding.message.isprintable()


def test_a_folder_of_another_name_for_a_source_is_known(site: Path, mount_bind: Any) -> None:
    with mount_bind(site / "app", site / "alias"):
        message = f"the output folder {site}/alias/out lies in app/, which the site is made from"
        assert check(site, "alias/out") == (Diagnostic("unsafe-out", message, hint=OWN),)


def test_a_read_only_place_is_refused(site: Path, mount_bind: Any) -> None:
    (site / "ro").mkdir()
    with mount_bind(site / "ro", site / "ro"):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(site / "ro")], check=True)
        message = f"the output folder {site}/ro/out cannot be written: {site}/ro"
        assert check(site, "ro/out") == (Diagnostic("unsafe-out", message, hint=WRITE),)


def test_a_place_without_permission_is_refused(desk: Any, as_nobody: Any) -> None:
    (desk.root / "locked").mkdir(mode=0o555)
    place = desk.root / "locked/out"
    message = f"the output folder {place} cannot be written: {place.parent}"
    findings = (Diagnostic("unsafe-out", message, hint=WRITE),)
    assert as_nobody(lambda: check_out(desk.root, place) == findings)
