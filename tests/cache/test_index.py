"""Rows that cannot be trusted are not there, whatever happened to the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import LONG

from pybuild.cache.index import SCHEMA, RowSet

ROWS = [("#c", "text"), ("/a", [1, "é\n\t"]), ("/b", {"x": None})]
OTHER = [("/a", "of another set")]


def kept(file: Path, name: str, header: object, rows: list[tuple[str, object]]) -> None:
    made = RowSet(file, name, header)
    made.write(rows)
    made.keep()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / ".pybuild/cache/index"
    kept(file, "pages", [1], ROWS)
    kept(file, "other", [1], OTHER)
    return file


def read(file: Path, name: str = "pages", header: object = (1,)) -> dict[str, object]:
    rows = RowSet(file, name, header)
    found = {key: rows.get(key) for key, _ in (*ROWS, ("/d", 0), ("/none", 0))}
    rows.close()
    return {key: value for key, value in found.items() if value is not None}


def test_what_was_kept_is_read(file: Path) -> None:
    assert read(file) == dict(ROWS)
    assert read(file, "other") == dict(OTHER)
    assert [p.name for p in file.parent.iterdir()] == ["index"] and file.stat().st_mode & 0o777 == 0o600


def test_another_header_or_set_has_no_rows(file: Path) -> None:
    assert read(file, header=[2]) == {} and read(file, "none") == {}
    kept(file, "pages", [2], [("/d", 4)])
    assert (read(file), read(file, header=[2]), read(file, "other")) == ({}, {"/d": 4}, dict(OTHER))


def test_what_is_not_kept_changes_nothing(file: Path) -> None:
    rows = RowSet(file, "pages", [1])
    rows.write([])
    rows.drop()
    assert read(file) == dict(ROWS)


def test_rows_are_left_as_they_are_or_taken_away(file: Path) -> None:
    kept(file, "pages", [1], [("/b", None), ("/d", 4), ("/none", None)])
    assert read(file) == {"/b": {"x": None}, "/d": 4}


@pytest.mark.parametrize("order", [lambda names: names, reversed, lambda names: names[::7] + names])
def test_many_rows_in_any_order(file: Path, order: Callable[[list[str]], list[str]]) -> None:
    names = [f"/{number:04}" for number in range(1000)]
    kept(file, "many", 0, [(name, name) for name in names])
    rows = RowSet(file, "many", 0)
    assert all(rows.get(name) == name for name in order(names))
    assert rows.get("/0000x") is None
    rows.close()


def test_every_flipped_byte_and_many_cuts(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(0, len(whole), 3 if LONG else 11):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        for damaged in (bytes(flipped), whole[:place])[: 1 + (place % 16 == 0)]:
            file.write_bytes(damaged)
            assert all(dict(ROWS)[name] == value for name, value in read(file).items()), place


def rubbish(file: Path) -> None:
    file.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR." * 999)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:4096])


def folder(file: Path) -> None:
    file.unlink()


def view(file: Path) -> None:
    """Rows that never end, in the place of ours."""
    with sqlite3.connect(file) as database:
        database.executescript(
            "DROP TABLE rows; CREATE VIEW rows AS WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number FROM n)"
            " SELECT number, x'' AS name, x'' AS value, x'' AS sum FROM n;"
        )


def trigger(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END")


def texts(file: Path) -> None:
    """Values of other types than ours."""
    with sqlite3.connect(file) as database:
        database.execute("UPDATE rows SET value = 'text', sum = 1")


def wal(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode = WAL")


@pytest.mark.parametrize("harm", [rubbish, empty, cut, folder, view, trigger, texts, wal])
def test_a_foreign_or_damaged_file_is_made_anew(file: Path, harm: Callable[[Path], None]) -> None:
    harm(file)
    assert read(file) in ({}, dict(ROWS))
    for attempt in range(2):
        try:
            kept(file, "pages", [1], ROWS)
            break
        except OSError:
            assert attempt == 0, "a file that cannot be written is removed"
    assert read(file) == dict(ROWS)
    with sqlite3.connect(file) as database:
        found = database.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
    assert tuple(sql for (sql,) in found) == SCHEMA


def test_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").read_bytes()
    assert read(file) == {}
    kept(file, "pages", [1], [("/d", 4)])
    assert read(file) == {"/d": 4} and not file.is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == before


def test_who_reads_while_another_writes_sees_the_last_rows_or_none(file: Path) -> None:
    rows = RowSet(file, "pages", [1])
    rows.write([("/d", 4)])
    assert read(file) in (dict(ROWS), {})
    rows.keep()
    assert read(file) == {"/d": 4}


def test_after_a_full_disk_nothing_more_is_written(file: Path) -> None:
    rows = RowSet(file, "pages", [1])
    rows.begin()
    rows.add([("/a", 1)])
    assert rows._database is not None
    rows._database.execute("PRAGMA max_page_count = 1")  # as many as there are
    with pytest.raises(OSError, match="full"):
        rows.add([("/b", "x" * 100_000)])
    with pytest.raises(OSError, match="given up"):
        rows.add([("/d", 4)])
    rows.keep()
    assert read(file) == dict(ROWS)
