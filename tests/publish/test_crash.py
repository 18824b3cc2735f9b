"""The kill matrix: `kill -9` before touches of the disk, and what is there afterwards; before each in a long run."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import LONG

OLD = {
    "index.html": b"old home",
    "a.html": b"same",
    "a.md": b"changed: old",
    "gone/deep/b.html": b"gone",
    "folder/c.html": b"a folder becomes a file",
    "file": b"a file becomes a folder",
    "Case.html": b"a letter changes",
    "_redirects": b"old rules",
    "docs/x.html": b"same too",
}
NEW = {
    "index.html": b"new home",
    "a.html": b"same",
    "a.md": b"changed: new",
    "folder": b"now a file",
    "file/d.html": b"now in a folder",
    "case.html": b"a letter changes",
    "_redirects": b"new rules",
    "docs/x.html": b"same too",
    "docs/new/y.html": b"new",
}
Desks = Callable[[], Any]


def run_matrix(
    desks: Desks, killed_at: Any, prepare: Callable[[Any], None], check: Callable[[Any], None]
) -> int:
    """Kill at every third point, look, kill the recovery too, look again, then finish; return the number of points."""
    for point in itertools.count(step=1 if LONG else 3):
        desk = desks()
        prepare(desk)
        was_killed = killed_at(point, lambda desk=desk: desk.export(NEW))
        check(desk)
        if was_killed:
            killed_at(point * 7 % 61, lambda desk=desk: desk.export(NEW))
            check(desk)
        published, findings = desk.export(NEW)
        assert findings == ()
        assert published.files == len(NEW)
        assert {path: body for path, body in desk.tree().items() if path != "CNAME"} == NEW
        assert desk.leftovers() == []
        if not was_killed:
            return point
    raise AssertionError


def test_a_killed_swap_leaves_the_whole_old_or_the_whole_new_site(desks: Desks, crash: Any) -> None:
    def check(desk: Any) -> None:
        assert desk.tree() in (OLD, NEW)

    assert run_matrix(desks, crash, lambda desk: desk.export(OLD), check) > 50


def test_a_killed_swap_with_a_spare_tree_leaves_the_whole_old_or_the_whole_new_site(
    desks: Desks, crash: Any
) -> None:
    """The tree that is swapped in is the one of the export before the last."""

    def prepare(desk: Any) -> None:
        for site in ({**OLD, "deep/er/x": b"x", "a.html": b"other"}, {"index.html": b"other"}, OLD):
            assert desk.export(site)[1] == ()

    def check(desk: Any) -> None:
        assert desk.tree() in (OLD, NEW)

    assert run_matrix(desks, crash, prepare, check) > 50


def test_a_killed_first_export_leaves_nothing_or_everything(desks: Desks, crash: Any) -> None:
    def check(desk: Any) -> None:
        assert desk.tree() in ({}, NEW)

    assert run_matrix(desks, crash, lambda desk: None, check) > 30


def check_each_file(desk: Any) -> None:
    tree = desk.tree()
    assert tree.pop("CNAME") == b"example.com"
    for path, body in tree.items():
        assert path.endswith("/") or body in (OLD.get(path), NEW.get(path)), path


def test_killed_renames_leave_every_file_whole_and_foreign_files_alone(desks: Desks, crash: Any) -> None:
    def prepare(desk: Any) -> None:
        desk.export(OLD)
        (desk.out / "CNAME").write_bytes(b"example.com")

    assert run_matrix(desks, crash, prepare, check_each_file) > 50


@pytest.fixture
def other_disk(scratch: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk than the sites."""
    for place in (tmp_path, Path("/var/tmp")):
        if place.stat().st_dev != scratch.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=place) as folder:
                yield Path(folder)
            return
    pytest.skip("there is only one disk")


def test_killed_renames_from_a_stage_on_another_disk(desks: Desks, other_disk: Path, crash: Any) -> None:
    numbers = itertools.count()

    def on_two_disks() -> Any:
        desk = desks()
        return type(desk)(desk.root, other_disk / str(next(numbers)) / "site")

    def prepare(desk: Any) -> None:
        desk.export(OLD)
        (desk.out / "CNAME").write_bytes(b"example.com")

    assert run_matrix(on_two_disks, crash, prepare, check_each_file) > 50


def test_a_site_that_was_moved_after_a_crash_recovers(desks: Desks, crash: Any) -> None:
    for point in range(20, 80, 3 if LONG else 9):
        desk = desks()
        desk.export(OLD)
        crash(point, lambda desk=desk: desk.export(NEW))
        moved = desk.root.rename(desk.root.with_name(desk.root.name + "-moved"))
        desk = type(desk)(moved, moved / "out")
        assert desk.export(NEW)[1] == ()
        assert (desk.tree(), desk.leftovers()) == (NEW, [])


def test_foreign_files_that_come_after_a_crash_turn_the_swap_into_renames(desks: Desks, crash: Any) -> None:
    seen = 0
    for point in range(20, 80):
        desk = desks()
        desk.export(OLD)
        folder = desk.out.stat().st_ino
        crash(point, lambda desk=desk: desk.export(NEW))
        if desk.tree() == OLD and list(desk.root.rglob("journal.json")):
            (desk.out / "CNAME").write_bytes(b"example.com")
            assert desk.export(NEW)[1] == ()
            assert desk.tree() == {**NEW, "CNAME": b"example.com"}
            assert desk.out.stat().st_ino == folder
            seen += 1
    assert seen


def test_a_recovery_that_meets_something_in_the_way_waits_for_the_author(desks: Desks, crash: Any) -> None:
    seen = 0
    for point in range(20, 80):
        desk = desks()
        desk.export(OLD)
        crash(point, lambda desk=desk: desk.export(NEW))
        if desk.tree() == OLD and list(desk.root.rglob("journal.json")):
            (desk.out / "docs/new").symlink_to("/tmp")
            published, (finding,) = desk.export(NEW)
            assert (published, finding.code) == (None, "unsafe-out")
            (desk.out / "docs/new").unlink()
            assert desk.export(NEW)[1] == ()
            assert desk.tree() == NEW
            seen += 1
    assert seen
