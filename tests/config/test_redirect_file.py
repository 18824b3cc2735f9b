"""Redirects from a file, in three spellings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.config.loader import load_config
from pybuild.rules.model import Redirect

SITE = '[site]\nurl = "https://a.example"\ntitle = "T"\n'


def read(root: Path, name: str, text: str) -> tuple[list[tuple[str, str, int, str]], list[str]]:
    (root / "pybuild.toml").write_text(f'redirects = "{name}"\n{SITE}')
    (root / name).write_text(text)
    config, findings = load_config(root)
    rules = [rule for rule in config.rules if isinstance(rule, Redirect)]
    told = [f"{one.location} {one.code}: {one.message}" for one in findings]
    return [(r.source.source, r.destination.source, r.status, str(r.location)) for r in rules], told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "r.toml",
            '[[redirects]]\nsource = "/a"\ndestination = "/b"\npermanent = true\n\n'
            '[[redirects]]\nsource = "/c/:splat*"\ndestination = "/d/:splat"\nstatus = 302\n',
        ),
        (
            "r.json",
            '[\n{"source": "/a", "destination": "/b", "permanent": true},\n\n\n\n'
            '{"source": "/c/:splat*", "destination": "/d/:splat", "statusCode": 302}]',
        ),
        ("_redirects", "/a /b 308! # why\n# none\n\n\n\n/c/*  /d/:splat  302\n"),
    ],
)
def test_spellings(tmp_path: Path, name: str, text: str) -> None:
    first = 2 if name == "r.json" else 1
    expected = [("/a", "/b", 308, f"{name}:{first}"), ("/c/:splat*", "/d/:splat", 302, f"{name}:6")]
    assert read(tmp_path, name, text) == (expected, [])


def test_a_line_without_a_status_and_with_signs(tmp_path: Path) -> None:
    found, told = read(tmp_path, "list.txt", "/a(1)+b /b\n/x/:id https://b.example/:id\n")
    assert [one[:3] for one in found] == [
        (r"/a\(1\)\+b", "/b", 301),
        ("/x/:id", "https://b.example/:id", 301),
    ]
    assert told == []


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("r.toml", "[[redirects]\n", "r.toml:1 config-error: it is not TOML"),
        ("r.toml", "redirects = 1\n", "r.toml config-error: it has no list of redirects"),
        ("r.json", "[\n{]", "r.json:2 config-error: it is not JSON"),
        ("r.json", "1", "r.json config-error: it has no list of redirects"),
        (
            "r.json",
            '[\n{"source": "/a", "destination": "/b"}]',
            "r.json:2 invalid-rule: a redirect needs permanent",
        ),
        ("_redirects", "/a /b 301\n/c /d 200\n", "_redirects:2 config-error: status 200 is no redirect"),
        ("_redirects", "/a id=:id /b 301 Country=de\n", '_redirects:1 config-error: "/a id=:id'),
    ],
)
def test_what_is_no_redirect(tmp_path: Path, name: str, text: str, told: str) -> None:
    found, findings = read(tmp_path, name, text)
    assert found == []
    assert [one.startswith(told) for one in findings] == [True], findings


@pytest.mark.parametrize("name", ["none.toml", "../pybuild.toml", "/etc/hostname"])
def test_a_file_that_is_none_of_the_site(tmp_path: Path, name: str) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "pybuild.toml").write_text("")
    (site / "pybuild.toml").write_text(f'redirects = "{name}"\n{SITE}')
    _, findings = load_config(site)
    assert [f"{one.location} {one.code}" for one in findings] == ["pybuild.toml:1 config-error"]
