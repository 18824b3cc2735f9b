"""Globs of `inputs`: spellings that mean the same give the same files."""

from __future__ import annotations

import pytest

from pybuild.cache.inputs import globs_of, matcher
from pybuild.routing.module_facts import Setting

PATHS = ["data/a.txt", "data/deep/b.json", "lib/x.py", "top.txt"]
SPELLINGS = [
    ("data", ["data/a.txt", "data/deep/b.json"]),
    ("data/", ["data/a.txt", "data/deep/b.json"]),
    ("./data//", ["data/a.txt", "data/deep/b.json"]),
    ("data/**", ["data/a.txt", "data/deep/b.json"]),
    ("./data/*.txt", ["data/a.txt"]),
    ("data//deep", ["data/deep/b.json"]),
    ("data/a.txt", ["data/a.txt"]),
    ("**/*.json", ["data/deep/b.json"]),
    ("*.txt", ["top.txt"]),
    (".", PATHS),
    ("*", PATHS),  # folders match too, and all that is in them
    ("Data", []),
    ("data/a", []),
    ("/data", []),
    ("../data", []),
]


@pytest.mark.parametrize(("glob", "paths"), SPELLINGS)
def test_what_a_glob_matches(glob: str, paths: list[str]) -> None:
    globs = globs_of(Setting([glob], 1, 1))
    assert [path for path in PATHS if matcher(globs)(path)] == paths


def test_spellings_of_one_folder_are_one_glob() -> None:
    assert globs_of(Setting(["./data//", "data", "data/**", "b"], 1, 1)) == ("b/**", "data/**")


def test_no_input_is_no_file() -> None:
    assert globs_of(Setting([], 1, 1)) == ()
    assert not any(map(matcher(()), PATHS))
