"""Rendered Markdown that is taken over: the same as rendered anew, wherever links lead by now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_pages import markdown_pages

from pybuild.config.loader import Markdown
from pybuild.markdown.disk_cache import CachedRenderer, prune
from pybuild.markdown.renderer import MarkdownRenderer

PLAIN = MarkdownRenderer(Markdown())
TEXT = "# A <b> {#x}\n\n## Two\n\n### Three\n\n[a](b.md 'q') ![i](c.png) <https://x.example> [r]\n\n> | a |\n> |---|\n> | [z](q\\|r) |\n\n[r]: /u\n"


class Never:
    """A renderer that may not be asked."""

    def render(self, text: str, **_: object) -> None:
        raise AssertionError(text)


def to_links(prefix: str):
    def resolve(href: str, line: int, is_image: bool) -> str:
        return f"{prefix}{href}&{line}'{is_image}"

    return resolve


@pytest.mark.parametrize("text", [TEXT, "", "\ue0000\ue001 [a](b)", *markdown_pages(25, 3).values()])
def test_the_second_time_gives_the_same(tmp_path: Path, text: str) -> None:
    first = CachedRenderer(PLAIN, tmp_path)
    for renderer, prefix in ((first, "/a/"), (CachedRenderer(PLAIN, tmp_path), "/b/")):
        made = renderer.render(text, resolve=to_links(prefix), line_offset=3)
        assert made == PLAIN.render(text, resolve=to_links(prefix), line_offset=3)


def test_it_is_taken_over(tmp_path: Path) -> None:
    made = CachedRenderer(PLAIN, tmp_path).render(TEXT, resolve=to_links(""))
    assert CachedRenderer(Never(), tmp_path).render(TEXT, resolve=to_links("")) == made


@given(place=st.integers(0, 400), byte=st.integers(0, 255), cut=st.booleans())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_what_is_damaged_is_not_there(
    place: int, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("memo")
    wanted = CachedRenderer(PLAIN, folder).render(TEXT, resolve=to_links(""))
    (file,) = (file for file in folder.rglob("*") if file.is_file())
    kept = bytearray(file.read_bytes())
    kept[place] = byte
    file.write_bytes(kept[:place] if cut else kept)
    assert CachedRenderer(PLAIN, folder).render(TEXT, resolve=to_links("")) == wanted


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    renderer = CachedRenderer(PLAIN, tmp_path / "file" / "x")
    assert renderer.render(TEXT, resolve=to_links("")) == PLAIN.render(TEXT, resolve=to_links(""))


def test_the_oldest_go_where_there_are_far_too_many(tmp_path: Path) -> None:
    renderer = CachedRenderer(PLAIN, tmp_path)
    for number in range(300):
        renderer.render(f"# {number}", resolve=to_links(""))
    prune(tmp_path, 22)
    assert sum(file.is_file() for file in tmp_path.rglob("*")) == 300
    for number, file in enumerate(sorted(f for f in tmp_path.rglob("*") if f.is_file())):
        os.utime(file, (number, number))
    prune(tmp_path, 21)
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert (len(left), min(file.stat().st_mtime for file in left)) == (21, 279)
