"""Without special permissions: what another user made, and folders that may not be entered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pybuild.publish import Published, output_at, recover

NOBODY = 65534


def give(*places: Path) -> None:
    if os.geteuid() == 0:
        for place in places:
            os.chown(place, NOBODY, NOBODY)


def test_an_output_whose_parent_may_not_be_written_is_published_file_by_file(
    desk: Any, as_nobody: Any
) -> None:
    here = type(desk)(desk.root / "site", desk.root / "www/out")
    here.root.mkdir()
    here.out.mkdir(parents=True)
    give(here.root, here.out)
    here.out.parent.chmod(0o555)
    folder = here.out.stat().st_ino
    assert as_nobody(lambda: here.export({"a": b"a", "b/c": b"c"}) == (Published(2, 2, 0, 0, 0), ()))
    assert as_nobody(lambda: here.export({"a": b"new"}) == (Published(1, 1, 0, 1, 0), ()))
    assert here.tree() == {"a": b"new"} and here.out.stat().st_ino == folder
    here.out.parent.chmod(0o755)


def test_a_closed_folder_in_the_output_is_foreign(desk: Any, as_nobody: Any) -> None:
    give(desk.root)
    assert as_nobody(lambda: desk.export({"a": b"a"})[1] == ())
    (desk.out / "lost+found").mkdir(mode=0o000)
    assert as_nobody(lambda: desk.export({"a": b"new"}) == (Published(1, 1, 0, 0, 1), ()))
    (desk.out / "lost+found").chmod(0o700)
    assert desk.tree() == {"a": b"new", "lost+found/": b""}


@pytest.mark.parametrize("foreign", [False, True], ids=["swap", "files"])
def test_an_output_that_became_read_only_is_a_finding_and_stays(
    desk: Any, as_nobody: Any, foreign: bool
) -> None:
    give(desk.root)
    assert as_nobody(lambda: desk.export({"a": b"a"})[1] == ())
    if foreign:
        (desk.out / "CNAME").write_bytes(b"c")
    desk.out.chmod(0o555)
    desk.root.chmod(0o555)

    def is_refused() -> bool:
        published, findings = desk.export({"a": b"new"})
        return published is None and [finding.code for finding in findings] == ["publish-error"]

    assert as_nobody(is_refused)
    assert desk.tree()["a"] == b"a"
    desk.out.chmod(0o755)
    desk.root.chmod(0o755)
    assert as_nobody(lambda: recover(output_at(desk.root, desk.out)) == ())
    assert desk.tree() == ({"a": b"new", "CNAME": b"c"} if foreign else {"a": b"new"})
    assert desk.leftovers() == []
