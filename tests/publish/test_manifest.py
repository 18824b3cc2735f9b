"""The manifest is read back as it was written; the shrink guard counts pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.diagnostics import Diagnostic
from pybuild.publish import load_manifest, output_at, shrink_findings
from pybuild.publish.listing import Stamp
from pybuild.publish.manifest import (
    PublishedState,
    is_inside,
    load_published,
    read_rows,
    save_rows,
    save_stamps,
)
from pybuild.records import File, Manifest

FULL = File(
    "é/a.html", "app/a/page.md", "00" * 32, 5, "/é/a", "text/html", (("vary", "Accept"), ("x", "\n")), True
)
BARE = File("b", "[public]", "11" * 32, 0)


def test_rows_come_back_sorted_and_equal(tmp_path: Path) -> None:
    save_rows(tmp_path / "m.json", "out", [BARE, FULL])
    previous = read_rows(tmp_path / "m.json", "out")
    assert previous is not None
    assert previous.rows == {"b": BARE, "é/a.html": FULL}
    assert previous.manifest == Manifest((BARE, FULL))
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]


def test_a_manifest_of_another_output_is_none(tmp_path: Path) -> None:
    save_rows(tmp_path / "m.json", "out", [BARE])
    assert read_rows(tmp_path / "m.json", "dist") is None
    assert read_rows(tmp_path / "none.json", "out") is None


@pytest.mark.parametrize(
    "row",
    [
        '["../a","","",0,"","",[],false]',
        '["a","","",0,"","",[]]',
        '["a","","",0,"","",[],false,1]',
        '["a","","",0,"","",[],0]',
        '["a","","","0","","",[],false]',
        '["a","","",0,"","",[["x"]],false]',
        "{}",
        "null",
        "1",
    ],
)
def test_one_damaged_row_is_no_manifest(tmp_path: Path, row: str) -> None:
    text = f'{{"version":2,"out":"out","files":[["b","","",0,"","",[],true],{row}]}}'
    (tmp_path / "m.json").write_text(text)
    assert read_rows(tmp_path / "m.json", "out") is None


def test_a_manifest_of_the_version_before_is_read(tmp_path: Path) -> None:
    row = f'["b","[public]","{BARE.digest}",0,"","",[],false,1,2]'
    text = f'{{"version":1,"out":"out","files":[{row}]}}'
    (tmp_path / "m.json").write_text(text)
    assert read_rows(tmp_path / "m.json", "out") == PublishedState({"b": BARE})


STAMPS = {"b": Stamp(0o100644, 0, 1, 2, 3), "é/a.html": Stamp(0o100644, 5, 2**62, 2**63, 2**64 - 1)}


def test_stamps_are_read_for_the_files_of_the_manifest_alone(tmp_path: Path) -> None:
    output = output_at(tmp_path, tmp_path / "out")
    output.state.mkdir(parents=True)
    save_rows(output.manifest, "out", [BARE, FULL])
    save_stamps(output.stamps, "", STAMPS.values())
    assert load_published(output).stamps == STAMPS
    save_rows(output.manifest, "out", [BARE])
    assert load_published(output).stamps == {}


@pytest.mark.parametrize("place", [0, 31, 32, 40, -1])
def test_damaged_stamps_are_none(tmp_path: Path, place: int) -> None:
    output = output_at(tmp_path, tmp_path / "out")
    output.state.mkdir(parents=True)
    save_rows(output.manifest, "out", [BARE, FULL])
    save_stamps(output.stamps, "", STAMPS.values())
    content = bytearray(output.stamps.read_bytes())
    content[place] ^= 1
    output.stamps.write_bytes(content)
    assert load_published(output).stamps == {}
    output.stamps.write_bytes(content[:-3])
    assert load_published(output).stamps == {}


def test_state_is_named_relative_to_the_site(tmp_path: Path) -> None:
    here, there = (output_at(tmp_path / name, tmp_path / name / "out") for name in ("here", "there"))
    assert here.key == "out" and here.state.name == there.state.name
    outside = output_at(tmp_path / "here", tmp_path / "www")
    assert outside.key == str(tmp_path / "www") and outside.state.parent == here.state.parent
    assert load_manifest(here).manifest == Manifest()


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0"])
def test_paths_that_leave(path: str) -> None:
    assert not is_inside(path)


def pages(count: int, ending: str = ".html") -> list[File]:
    return [File(f"docs/{n:03}{ending}", "", "", 0, page=True) for n in range(count)]


def test_a_site_that_lost_over_a_fifth_is_shrunk() -> None:
    message = (
        "21 of the 100 pages published last time would vanish, among them /docs/079, /docs/080, /docs/081"
    )
    hint = "check that the content and its sources are complete; if they are, export with --allow-shrink"
    finding = Diagnostic("site-shrunk", message, hint=hint)
    assert shrink_findings(Manifest(tuple(pages(100))), pages(79)) == (finding,)
    assert shrink_findings(Manifest(tuple(pages(100))), pages(79), allow=True) == ()


@pytest.mark.parametrize(("before", "after"), [(100, 80), (10, 0), (12, 2), (0, 0), (0, 50)])
def test_what_may_vanish(before: int, after: int) -> None:
    assert shrink_findings(Manifest(tuple(pages(before))), pages(after)) == ()


def test_eleven_pages_of_eleven_may_not_vanish() -> None:
    assert [f.code for f in shrink_findings(Manifest(tuple(pages(11))), [])] == ["site-shrunk"]


def test_trailing_slashes_move_pages_and_lose_none() -> None:
    assert shrink_findings(Manifest(tuple(pages(50))), pages(50, "/index.html")) == ()


def test_files_that_are_no_pages_do_not_count() -> None:
    assets = tuple(File(f"{n}.css", "", "", 0) for n in range(50))
    assert shrink_findings(Manifest(assets), []) == ()
