"""Folders that need no code, and what hosts refuse to take."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_rules import derived, file

from pybuild.hosts.base import check_limits, sizes
from pybuild.hosts.edge.rules import StaticFolder, folders_without_rules
from pybuild.records import File

HEADERS = '[[headers]]\nsource = "/assets/:path*"\nheaders = { Cache-Control = "max-age=9", Link = "<a>" }\n'
ALL = '[[headers]]\nsource = "/(.*)"\nheaders = { X-All = "1", Link = "<b>" }\n'


def folders(root: Path, rules: str, *more: File | str, misses: bool = False) -> list[str]:
    made, files, _ = derived(root, rules, *more)
    return [one.folder for one in folders_without_rules(made, files, misses=misses)]


def test_headers_of_all_files_are_merged(tmp_path: Path) -> None:
    rules, files, _ = derived(tmp_path, HEADERS + ALL, "assets/a.js", "assets/deep/b.css")
    headers = (("Cache-Control", "max-age=9"), ("Link", "<a>, <b>"), ("X-All", "1"))
    assert folders_without_rules(rules, files, misses=False) == (StaticFolder("assets", headers),)


@pytest.mark.parametrize(
    "rule",
    [
        '[[redirects]]\nsource = "/assets/old"\ndestination = "/docs/a"\npermanent = true\n',
        '[[redirects]]\nsource = "/:x*"\nhas = [{ type = "host", value = "b" }]\ndestination = "/"\nstatus = 301\n',
        '[[proxies]]\nsource = "/assets/live/:path*"\ndestination = "https://b.example/:path*"\n',
        '[[headers]]\nsource = "/:x*"\nhas = [{ type = "query", key = "d" }]\nheaders = { A = "1" }\n',
        '[[headers]]\nsource = "/assets/a.js"\nheaders = { A = "1" }\n',
        '[[headers]]\nsource = "/assets/:x*"\nheaders = { access-control-allow-origin = "*" }\n',
    ],
)
def test_rules_below_a_folder_want_code(tmp_path: Path, rule: str) -> None:
    assert folders(tmp_path, rule, "assets/a.js", "assets/b.css") == []


def test_where_misses_reach_the_code_files_alone_count(tmp_path: Path) -> None:
    rule = '[[redirects]]\nsource = "/assets/old"\ndestination = "/docs/a"\npermanent = true\n'
    assert folders(tmp_path, rule, "assets/a.js", misses=True) == ["assets"]
    assert folders(tmp_path, rule, "assets/a.js", "assets/old", misses=True) == []


def test_pages_and_strange_names_want_code(tmp_path: Path) -> None:
    assert folders(tmp_path, "", "x/a.js", "x/b.html", "y/a.md", "é/a.js", "z/1/a.js", "z/b.html") == ["z/1"]


def test_types_are_headers(tmp_path: Path) -> None:
    one = file("api/posts", media_type="application/json")
    rules, files, _ = derived(tmp_path, "", one)
    assert folders_without_rules(rules, files, misses=True) == (
        StaticFolder("api", (("Content-Type", "application/json"),)),
    )


def test_limits_name_what_is_over(tmp_path: Path) -> None:
    _, files, _ = derived(tmp_path, "", file("big.bin", 30))
    found = list(
        check_limits("Host", {"files": 5, "file_bytes": 20, "site_bytes": 10_000}, sizes(files), files)
    )
    assert [(one.code, str(one.location), one.message) for one in found] == [
        ("rule-limit", "public/big.bin", 'Host takes at most 20 bytes in a file; "big.bin" has 30'),
        ("rule-limit", "", "Host takes at most 5 files; there are 6"),
    ]
