"""Lines that cannot be trusted are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.cache.store import RecordStore

LINES = [("/a", [1, "é\n\t"]), ("/b", {"x": None}), ("#c", "text")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    ledger = RecordStore(tmp_path / "lines", [1])
    ledger.write(LINES)
    ledger.keep()
    return tmp_path / "lines"


def test_what_was_kept_is_read(file: Path) -> None:
    ledger = RecordStore(file, [1])
    assert [(name, ledger.get(name)) for name, _ in LINES] == LINES
    assert ledger.get("/none") is None


def test_another_header_has_no_lines(file: Path) -> None:
    assert RecordStore(file, [2]).get("/a") is None


def test_what_is_not_kept_changes_nothing(file: Path) -> None:
    before = file.read_bytes()
    ledger = RecordStore(file, [1])
    ledger.write([])
    ledger.drop()
    assert file.read_bytes() == before and [f.name for f in file.parent.iterdir()] == ["lines"]


def test_lines_are_taken_over_as_they_stand(file: Path) -> None:
    ledger = RecordStore(file, [1])
    ledger.write([("/b", None), ("/d", 4), ("/none", None)])
    ledger.keep()
    after = RecordStore(file, [1])
    assert [after.get(name) for name in ("/a", "/b", "/d", "/none")] == [None, {"x": None}, 4, None]


def test_every_flipped_byte_and_every_cut(file: Path) -> None:
    whole = file.read_bytes()
    expected = dict(LINES)
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        for damaged in (bytes(flipped), whole[:place]):
            file.write_bytes(damaged)
            ledger = RecordStore(file, [1])
            assert all(ledger.get(name) in (None, value) for name, value in expected.items())
