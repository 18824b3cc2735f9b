"""Answers on disk lie in a real folder: no link leads a read or a write elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.fetching.store import Kept, Store

ANSWER = Kept("https://a.example/x", 200, (), b"body", 1.0, "run")


def test_an_answer_is_kept_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / ".pybuild/fetch")
    store.save("key", ANSWER)
    assert store.load("key") == ANSWER
    assert (tmp_path / ".pybuild/fetch/key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("link", [".pybuild", ".pybuild/fetch"])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, link: str) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(foreign)
    with pytest.raises(OSError, match="a folder of the state is a link"):
        Store(tmp_path / ".pybuild/fetch")
    assert [path for path in foreign.rglob("*") if path.is_file()] == []


def test_a_file_that_is_a_link_is_no_answer_and_is_not_written_through(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    store = Store(tmp_path / ".pybuild/fetch")
    store.save("key", ANSWER)
    (tmp_path / ".pybuild/fetch/key").rename(foreign)
    before = foreign.read_bytes()
    (tmp_path / ".pybuild/fetch/key").symlink_to(foreign)
    assert store.load("key") is None
    store.save("key", ANSWER)
    assert (store.load("key"), foreign.read_bytes()) == (ANSWER, before)
