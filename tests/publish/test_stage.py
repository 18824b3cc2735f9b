"""What goes into the stage, and what must not."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pybuild.publish import Stage, discard, load_published, open_stage, output_at
from pybuild.publish.stage import containers, is_unfinished

BIG = b"0123456789abcdef" * 100_000


def stage_of(desk: Any) -> Stage:
    output = output_at(desk.root, desk.out)
    stage, findings = open_stage(output, load_published(output))
    assert stage is not None and findings == ()
    return stage


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("body", [b"", b"small", BIG])
def test_copy_and_write_agree(desk: Any, body: bytes) -> None:
    stage = stage_of(desk)
    (desk.root / "source").write_bytes(body)
    assert stage.write("a/written", body) == (digest(body), len(body))
    assert stage.copy("a/copied", desk.root / "source") == (digest(body), len(body))
    assert (stage.tree / "a/written").read_bytes() == (stage.tree / "a/copied").read_bytes() == body


def test_the_last_write_wins_and_never_writes_through_a_link(desk: Any) -> None:
    stage = stage_of(desk)
    stage.write("a", b"long first body")
    (desk.root / "linked").hardlink_to(stage.tree / "a")
    stage.write("a", b"last")
    assert (stage.tree / "a").read_bytes() == b"last"
    assert (desk.root / "linked").read_bytes() == b"long first body"


def test_a_second_writer_leaves_the_file_of_the_first_until_its_own_is_whole(desk: Any) -> None:
    first = stage_of(desk)
    first.write("docs/a", b"the whole body")
    second = replace(first, _made=set())
    with second._create("docs/a") as descriptor:
        os.write(descriptor, b"the wh")
        assert (first.tree / "docs/a").read_bytes() == b"the whole body"
        os.write(descriptor, b"ole body")
    assert [p.name for p in (first.tree / "docs").iterdir()] == ["a"]
    assert (first.tree / "docs/a").read_bytes() == b"the whole body"


def test_a_write_that_fails_leaves_nothing_and_names_the_file(desk: Any) -> None:
    stage = stage_of(desk)
    (stage.tree / "docs/a").mkdir(parents=True)
    with pytest.raises(OSError) as refused:
        stage.write("docs/a", b"x")
    assert refused.value.filename == str(stage.tree / "docs/a")
    assert [p.name for p in (stage.tree / "docs").iterdir()] == ["a"]


def test_what_is_published_already_is_not_staged(desk: Any) -> None:
    desk.export({"a": b"a", "big": BIG})
    (desk.root / "big").write_bytes(BIG)
    stage = stage_of(desk)
    stage.write("a", b"wrong at first")
    assert stage.write("a", b"a") == (digest(b"a"), 1)
    assert stage.copy("big", desk.root / "big") == (digest(BIG), len(BIG))
    assert list(stage.tree.iterdir()) == []
    assert stage.holds("a", digest(b"a")) and not stage.holds("a", digest(b"b"))
    assert not stage.holds("b", digest(b"a"))


@pytest.mark.parametrize("path", ["../a", "/etc/x", "a/../../b", "", "a//b", "."])
def test_a_path_that_leaves_the_stage_is_a_bug(desk: Any, path: str) -> None:
    with pytest.raises(ValueError, match="must stay in the output"):
        stage_of(desk).write(path, b"x")


def test_a_symlink_in_the_stage_is_not_followed(desk: Any) -> None:
    stage = stage_of(desk)
    (desk.root / "victim").mkdir()
    (stage.tree / "a").symlink_to(desk.root / "victim")
    (stage.tree / "b").symlink_to(desk.root / "victim/file")
    with pytest.raises(FileExistsError):
        stage.write("a/file", b"x")
    stage.write("b", b"x")
    assert list((desk.root / "victim").iterdir()) == []


def test_two_stages_do_not_share_a_folder_and_discard_leaves_nothing(desk: Any) -> None:
    stage = stage_of(desk)
    stage.write("a/b", b"b")
    discard(stage)
    discard(stage)
    assert desk.leftovers() == [] and not desk.out.exists()


def test_a_state_that_cannot_be_made_is_a_finding(desk: Any) -> None:
    (desk.root / ".pybuild").mkdir()
    (desk.root / ".pybuild/outputs").write_bytes(b"a file")
    output = output_at(desk.root, desk.out)
    stage, (finding,) = open_stage(output, load_published(output))
    assert (stage, finding.code) == (None, "publish-error")


def test_a_missing_source_is_an_os_error(desk: Any) -> None:
    with pytest.raises(FileNotFoundError):
        stage_of(desk).copy("a", Path("/nonexistent/source"))


@pytest.mark.parametrize("place", range(4))
def test_what_an_export_left_is_seen_wherever_it_is(desk: Any, place: int) -> None:
    output = output_at(desk.root, desk.out)
    desk.out.mkdir()
    assert is_unfinished(output) is False
    left = (output.journal, *containers(output))[place]
    left.parent.mkdir(parents=True, exist_ok=True)
    left.symlink_to("nowhere")
    assert is_unfinished(output) is True
