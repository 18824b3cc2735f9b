"""A state that leads elsewhere, or waits for ever, harms nobody."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pybuild.diagnostics import Diagnostic
from pybuild.publish import Published, output_at
from pybuild.publish.state import StateError, check_folders, make_folders, read_file

REMOVE = "remove it and export again: pybuild makes what it needs there itself"
PARTS = ["", "outputs", "outputs/KEY", "outputs/KEY/stage"]


def state_part(desk: Any, part: str) -> Path:
    name: str = output_at(desk.root, desk.out).state.name
    return Path(desk.root, ".pybuild", part.replace("KEY", name))


@pytest.fixture
def victim(desk: Any) -> Path:
    """A foreign folder that looks as much like a state as it can."""
    folder = Path(desk.root, "victim")
    (folder / "stage/tree-0123abcd").mkdir(parents=True)
    (folder / "stage/made-by-pybuild").touch()
    (folder / "outputs").mkdir()
    for name in ("a.json", "manifest.next.json", "journal.json", "stage/tree-0123abcd/a", "clock", "lock"):
        (folder / name).write_bytes(b"mine")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("part", PARTS)
def test_a_folder_that_is_a_link_is_refused(desk: Any, victim: Path, part: str, published: bool) -> None:
    if published:
        desk.export({"a": b"a"})
    place = state_part(desk, part)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(victim)
    before = content(victim), desk.tree()
    result, (finding, *_) = desk.export({"a": b"new"})
    assert result is None
    assert (content(victim), desk.tree()) == before
    if part == "outputs/KEY/stage":
        assert finding.message == f"could not make a folder to stage the site in: File exists: {place}"
    else:
        doing = "finish the last publication" if part else "lock the site"
        message = f"could not {doing}: a symbolic link is where pybuild keeps its state: {place}"
        assert finding == Diagnostic("publish-error", message, hint=REMOVE)


@pytest.mark.parametrize(
    "name", ["manifest.json.tmp", "journal.json.tmp", "stamps.tmp", "manifest.next.json.tmp"]
)
def test_a_file_that_is_a_link_is_not_written_through(desk: Any, name: str) -> None:
    desk.export({"a": b"a"})
    (desk.root / "mine").write_bytes(b"mine")
    (state_part(desk, "outputs/KEY") / name).symlink_to(desk.root / "mine")
    assert desk.export({"a": b"new"}) == (Published(1, 1, 0, 0, 0), ())
    assert (desk.root / "mine").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "name", ["manifest.json", "stamps", "journal.json", "manifest.next.json", "stamps.tmp"]
)
def test_a_pipe_in_the_state_is_not_waited_for(desk: Any, name: str) -> None:
    desk.export({"a": b"a"})
    file = state_part(desk, "outputs/KEY") / name
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    assert desk.export({"a": b"new"}, adopt=True) == (Published(1, 1, 0, 0, 0), ())
    assert desk.tree() == {"a": b"new"} and desk.leftovers() == []


def test_a_pipe_in_place_of_the_lock_is_refused(desk: Any) -> None:
    (desk.root / ".pybuild").mkdir()
    os.mkfifo(desk.root / ".pybuild/lock")
    file = desk.root / ".pybuild/lock"
    message = f"could not lock the site: no regular file is where pybuild keeps its state: {file}"
    assert desk.export({"a": b"a"}) == (None, (Diagnostic("publish-error", message, hint=REMOVE),))


@pytest.mark.parametrize(
    "tree",
    ["..", "../../../../app", ".", "", "stage", "tree-0123ABCD", "tree-0123abcd/..", "tree-123", "app"],
)
def test_a_journal_names_only_trees_that_pybuild_makes(desk: Any, tree: str) -> None:
    desk.export({"a": b"a"})
    (desk.root / "app").mkdir()
    (desk.root / "app/page.md").write_bytes(b"source")
    state = state_part(desk, "outputs/KEY")
    (state / "stage").mkdir()
    (state / "stage/made-by-pybuild").touch()
    shutil.copy(state / "manifest.json", state / "manifest.next.json")
    row = {
        "whole": True,
        "place": 0,
        "tree": tree,
        "ino": (state / "stage" / tree).resolve().parent.stat().st_ino,
    }
    named = state / "stage" / tree
    if named.exists():
        row["ino"] = named.stat().st_ino
    (state / "journal.json").write_text(json.dumps(row))
    assert desk.export({"a": b"a"}) == (Published(1, 0, 1, 0, 0), ())
    assert (desk.tree(), desk.leftovers()) == ({"a": b"a"}, [])
    assert (desk.root / "app/page.md").read_bytes() == b"source"


def test_recovery_removes_only_what_pybuild_makes(desk: Any) -> None:
    desk.export({"a": b"a"})
    state = state_part(desk, "outputs/KEY")
    for name in ("mine.json", "manifest.json.old", "other.json.tmp"):
        (state / name).write_bytes(b"mine")
    (state / "stage/tree-0123abcd").mkdir(parents=True)
    (state / "stage/made-by-pybuild").touch()
    assert desk.export({"a": b"new"}) == (Published(1, 1, 0, 0, 0), ())
    assert desk.leftovers() == ["manifest.json.old", "mine.json", "other.json.tmp"]


def test_foreign_folders_in_a_container_stay(desk: Any) -> None:
    desk.export({"a": b"a"})
    container = state_part(desk, "outputs/KEY/stage")
    (container / "mine").mkdir(parents=True)
    (container / "made-by-pybuild").touch()
    result, (finding,) = desk.export({"a": b"new"})
    assert result is None and finding.code == "publish-error"
    assert (container / "mine").is_dir() and desk.tree() == {"a": b"a"}


def test_folders_of_the_state_are_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / ".pybuild/a/b"
    make_folders(folder)
    assert [p.stat().st_mode & 0o777 for p in (folder, *folder.parents[:2])] == [0o700] * 3
    check_folders(folder / "absent")
    (tmp_path / ".pybuild/file").touch()
    with pytest.raises(StateError, match="no folder is where"):
        check_folders(tmp_path / ".pybuild/file/x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders of others")
def test_a_state_of_another_user_is_refused(tmp_path: Path) -> None:
    make_folders(tmp_path / ".pybuild")
    os.chown(tmp_path / ".pybuild", 12345, 12345)
    with pytest.raises(StateError, match="another user owns"):
        make_folders(tmp_path / ".pybuild/cache")
    os.chown(tmp_path, 12345, 12345)
    make_folders(tmp_path / ".pybuild/cache")  # the state of a site that is theirs as well


@pytest.mark.parametrize("make", [os.mkfifo, lambda file: os.mknod(file, 0o20600, os.makedev(1, 5))])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make_folders(tmp_path / ".pybuild")
    try:
        make(tmp_path / ".pybuild/x")
    except PermissionError:
        pytest.skip("devices cannot be made here")
    with pytest.raises(OSError):
        read_file(tmp_path / ".pybuild/x")
