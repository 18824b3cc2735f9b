"""HTML of an engine that is taken over: the same as made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_pages import markdown_pages

from pybuild.markdown.disk_cache import cached, prune
from pybuild.markdown.engines import python_engine

ENGINE = python_engine()
TEXT = "# A <b> {#x}\n\n## Two\n\n[a](b.md 'q') ![i](c.png)\n\n> | a |\n> |---|\n> | [z](q\\|r) |\n"


def never(text: str) -> str:
    raise AssertionError(text)


@pytest.mark.parametrize("text", [TEXT, "", "\ue0000\ue001 [a](b)", *markdown_pages(5, 3).values()])
def test_it_is_taken_over(tmp_path: Path, text: str) -> None:
    made = cached(ENGINE, tmp_path)(text)
    assert made == ENGINE(text) == cached(never, tmp_path)(text)


@given(place=st.integers(0, 200), byte=st.integers(0, 255), cut=st.booleans())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_what_is_damaged_is_not_there(
    place: int, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("memo")
    wanted = cached(ENGINE, folder)(TEXT)
    (file,) = (file for file in folder.rglob("*") if file.is_file())
    kept = bytearray(file.read_bytes())
    kept[place] = byte
    file.write_bytes(kept[:place] if cut else kept)
    assert cached(ENGINE, folder)(TEXT) == wanted


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert cached(ENGINE, tmp_path / "file" / "x")(TEXT) == ENGINE(TEXT)


def test_no_link_is_followed(tmp_path: Path) -> None:
    """A repository can carry a folder of state that leads elsewhere: nothing is written, read or removed there."""
    state, elsewhere = tmp_path / ".pybuild/cache/markdown-x", tmp_path / "elsewhere"
    cached(ENGINE, state)(TEXT)
    (part,) = state.iterdir()
    part.rename(elsewhere)
    part.symlink_to(elsewhere)
    (kept,) = elsewhere.iterdir()
    others = [elsewhere / f"{number}.txt" for number in range(600)]
    for file in others:
        file.write_text("mine")
    before = kept.stat().st_mtime_ns
    assert cached(lambda text: "made anew", state)(TEXT) == "made anew"
    prune(state, 1)
    assert all(file.is_file() for file in others)
    assert kept.stat().st_mtime_ns == before
    part.unlink()
    part.mkdir()
    (part / kept.name).symlink_to(others[0])
    cached(ENGINE, state)(TEXT)
    assert others[0].read_text() == "mine"


def test_a_folder_that_is_a_link_is_not_pruned(tmp_path: Path) -> None:
    (tmp_path / ".pybuild/cache").mkdir(parents=True)
    (tmp_path / "elsewhere/ab").mkdir(parents=True)
    state = tmp_path / ".pybuild/cache/markdown-x"
    state.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="a symbolic link is where pybuild keeps its state"):
        prune(state, 0)


def test_the_oldest_go_where_there_are_far_too_many(tmp_path: Path) -> None:
    engine = cached(ENGINE, tmp_path)
    for number in range(300):
        engine(f"# {number}")
    prune(tmp_path, 22)
    assert sum(file.is_file() for file in tmp_path.rglob("*")) == 300
    for number, file in enumerate(sorted(f for f in tmp_path.rglob("*") if f.is_file())):
        os.utime(file, (number, number))
    prune(tmp_path, 21)
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert (len(left), min(file.stat().st_mtime for file in left)) == (21, 279)
