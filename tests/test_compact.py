"""Long tables: packed they are what lists and dicts of the same values are."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from faultlab import fork_command
from harness import SAMPLE_TIME, copy_sample
from hypothesis import given
from hypothesis import strategies as st

from pybuild import compact as packed
from pybuild.compact import Index, Table, indexed, ordered
from pybuild.records import FILE, File, by_path
from pybuild.source.document import ENTRY, Entry

Tree = dict[Path, bytes]


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
    "É", "d", MOMENT, None, ("a", "b"), True, {"list": [1, 2.5, None, {"x": True}], "lone": "\ud800"}, {"list": 2},
    4, "0" * 64, "f" * 32, True, "content/é.md", "docs", "é", "/docs/é",
)  # fmt: skip


def exported(root: Path, many: int, *words: str) -> Tree:
    """Export with tables packed from so many rows on; every file of the output."""
    done = fork_command("export", str(root), "--target", "nginx", *words, before=lambda: hold(many))
    assert done.code == 0, done.said
    return {f.relative_to(root): f.read_bytes() for f in root.rglob("out/**/*") if f.is_file()}


def hold(many: int) -> None:
    os.environ.update(SAMPLE_TIME)
    packed.MANY = many


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return exported(copy_sample(tmp_path_factory.mktemp("unpacked") / "site"), packed.MANY)


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_site_is_the_same_however_it_is_held(tmp_path: Path, engine: str, unpacked: Tree) -> None:
    root = copy_sample(tmp_path / "site")
    cold = exported(root, 3, "--engine", engine)
    (root / "app/page.html").touch()
    with_the_rows_of_the_last_export = exported(root, 3, "--engine", engine)
    assert len(unpacked) > 100
    assert [cold, with_the_rows_of_the_last_export] == [unpacked] * 2
