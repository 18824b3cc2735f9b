"""Two trees in turn: an edit links what differs, whatever became of the spare tree meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pybuild.publish import Published, clean, exclusive, load_published, output_at
from pybuild.publish.listing import Stamp
from pybuild.publish.spare import find_spare

SITE = {f"{folder}/{name}.html": b"same" for folder in "abc" for name in "xyz"}


def spare(desk: Any) -> Path:
    output = output_at(desk.root, desk.out)
    found = find_spare(output, load_published(output).generation)
    assert found is not None
    return found


@pytest.fixture
def published(desk: Any) -> Any:
    """A desk with an output and a spare tree."""
    for number in range(3):
        assert desk.export({**SITE, "edited": b"%d" % number})[1] == ()
    return desk


def links_of(work: Callable[[], object]) -> int:
    """How many links `work` makes."""
    made, link = [], os.link
    os.link = lambda *words, **named: (made.append(words), link(*words, **named))[1]  # type: ignore[assignment]
    try:
        work()
    finally:
        os.link = link
    return len(made)


def test_an_edit_links_what_the_spare_tree_has_not(published: Any) -> None:
    before = published.out.stat().st_ino
    assert links_of(lambda: published.export({**SITE, "edited": b"one"})) == 0
    assert links_of(lambda: published.export({**SITE, "edited": b"one", "new": b"n"})) == 1
    assert published.tree() == {**SITE, "edited": b"one", "new": b"n"}
    assert published.out.stat().st_ino == before


def test_files_and_folders_trade_places(published: Any) -> None:
    for site in ({"a": b"file", "b/x.html/deep": b"d"}, SITE, {"a": b"file"}, {"a/x.html/y": b"y"}, SITE):
        assert published.export(site)[1] == ()
        assert published.tree() == site


def deleted(tree: Path) -> None:
    shutil.rmtree(tree)


def emptied(tree: Path) -> None:
    shutil.rmtree(tree / "a")
    (tree / "b/x.html").unlink()


def copied(tree: Path) -> None:
    """Every file is another inode with the same bytes."""
    shutil.copytree(tree, tree.with_name("copy"))
    shutil.rmtree(tree)
    tree.with_name("copy").rename(tree)


def replaced(tree: Path) -> None:
    (tree / "a/x.html").unlink()
    (tree / "a/x.html").write_bytes(b"else")


def closed(tree: Path) -> None:
    (tree / "a").chmod(0o700)


def two_trees(tree: Path) -> None:
    tree.with_name("tree-0123abcd").mkdir()


def of_another_generation(tree: Path) -> None:
    (tree.parent / "made-by-pybuild").write_text("another")


def without_a_mark(tree: Path) -> None:
    (tree.parent / "made-by-pybuild").unlink()


def linked(tree: Path) -> None:
    tree.parent.rename(tree.parent.with_name("elsewhere"))
    tree.parent.symlink_to("elsewhere")


WAYS = [deleted, emptied, copied, replaced, closed, two_trees, of_another_generation]


@pytest.mark.parametrize("harm", WAYS)
def test_whatever_became_of_the_spare_tree(published: Any, harm: Callable[[Path], None]) -> None:
    harm(spare(published))
    for number in (b"first", b"second"):
        assert published.export({**SITE, "edited": number}) == (Published(10, 1, 9, 0, 0), ())
        assert published.tree() == {**SITE, "edited": number}
        assert {p.stat().st_mode & 0o777 for p in published.out.rglob("*") if p.is_dir()} == {0o755}
    assert spare(published).is_dir()


@pytest.mark.parametrize("harm", [without_a_mark, linked])
def test_a_folder_of_others_in_place_of_the_spare_tree_stays(
    published: Any, harm: Callable[[Path], None]
) -> None:
    harm(spare(published))
    assert published.export({**SITE, "edited": b"first"}) == (Published(10, 1, 9, 0, 0), ())
    assert published.tree() == {**SITE, "edited": b"first"}
    assert any("x.html" in str(p) for p in (published.root / ".pybuild").rglob("*"))


def test_what_somebody_put_into_the_spare_tree_is_carried_over(published: Any) -> None:
    """As a shell does that stands in the output while it is swapped."""
    (spare(published) / "a/mine.txt").write_bytes(b"mine")
    (spare(published) / "link").symlink_to("/etc/passwd")
    assert published.export({**SITE, "edited": b"new"}) == (Published(10, 1, 9, 0, 2), ())
    assert (published.out / "link").is_symlink()
    (published.out / "link").unlink()
    assert published.tree() == {**SITE, "edited": b"new", "a/mine.txt": b"mine"}


def test_stamps_are_those_after_the_last_link(published: Any) -> None:
    for site in (
        {**SITE, "edited": b"new"},
        {**SITE, "edited": b"new", "more": b"m"},
        SITE,
        {**SITE, "n": b""},
    ):
        published.export(site)
        seen = {path: Stamp.of((published.out / path).lstat()) for path in sorted(site)}
        assert load_published(output_at(published.root, published.out)).stamps == seen


def test_foreign_files_in_the_output_need_no_spare_tree(published: Any) -> None:
    (published.out / "CNAME").write_bytes(b"mine")
    assert published.export({**SITE, "edited": b"new"}) == (Published(10, 1, 9, 0, 1), ())
    assert not output_at(published.root, published.out).spare.exists()


def test_clean_removes_the_spare_tree(published: Any) -> None:
    output = output_at(published.root, published.out)
    with exclusive(published.root):
        assert clean(output)[1] == ()
    assert not output.state.exists() and published.tree() == {}
