"""Long tables: packed they are what lists and dicts of the same values are."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from harness import SAMPLE_TIME, copy_sample, environment
from hypothesis import given
from hypothesis import strategies as st

from pybuild import compact as packed
from pybuild.compact import Index, Table, indexed, ordered
from pybuild.records import FILE, File, by_path
from pybuild.source.document import ENTRY, Entry


class Odd(str):
    """A text that `marshal` does not take."""

    __slots__ = ()


def file(number: int) -> File:
    return File(f"{number * 37 % 101}.html", "a.md", "0" * 64, number, headers=(("a", str(number)),))


FILES = [file(number) for number in range(100)]


@given(st.integers(0, 100), st.slices(100), st.sampled_from([str, Odd]))
def test_a_table_is_a_list(size: int, part: slice, text: type[str]) -> None:
    files = [replace(one, origin=text("a.md")) for one in FILES[:size]]
    table = Table(FILE, files)
    assert (list(table), len(table), list(table[part])) == (files, size, files[part])
    assert [table[at] for at in range(-size, size)] == files + files
    for outside in (size, -size - 1):
        with pytest.raises(IndexError):
            table[outside]


def test_a_table_is_sorted_once() -> None:
    table = Table(FILE, FILES)
    made = ordered(table, "path")
    assert list(made) == sorted(FILES, key=lambda one: one.path)
    assert (ordered(made, "path"), ordered(Table(FILE, made), "path")[3]) == (made, made[3])


def test_an_index_is_a_dict() -> None:
    plain = by_path(FILES)
    index = indexed(Table(FILE, FILES), "path")
    assert isinstance(index, Index)
    assert (dict(index), list(index)) == (plain, sorted(plain))
    more = {"new": FILES[3]}
    assert dict(index | more) == plain | more
    assert "new" not in index


def test_tables_travel() -> None:
    table: Any = pickle.loads(pickle.dumps(Table(ENTRY, [ENTRY_OF_ALL] * 40)))
    assert list(table) == [ENTRY_OF_ALL] * 40


MOMENT = datetime.fromisoformat("2026-01-02T03:04:05.678+05:45")
ENTRY_OF_ALL = Entry(
    "content/é.md", "docs", "é", "/docs/é", "É", "d", MOMENT, None, ("a", "b"), True,
    {"list": [1, 2.5, None, {"x": True}], "lone": "\ud800"}, {"list": 2}, 4, "0" * 64, "f" * 32,
)  # fmt: skip


HELD = "import sys, pybuild.compact as p; p.MANY = {}; from pybuild.cli.main import main; main()"


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_site_is_the_same_however_it_is_held(tmp_path: Path, engine: str) -> None:
    trees = []
    for many in (packed.MANY, 3):
        root = copy_sample(tmp_path / str(many))
        words = ["-c", HELD.format(many), "export", str(root), "--engine", engine, "--target", "nginx"]
        for _ in ("cold", "with the rows of the last export"):
            done = subprocess.run(
                [sys.executable, *words], env=environment(SAMPLE_TIME), capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr
            trees.append({f.relative_to(root): f.read_bytes() for f in root.rglob("out/**/*") if f.is_file()})
            (root / "app/page.md").touch()
    assert len(trees[0]) > 100
    assert trees[1:] == [trees[0]] * 3
