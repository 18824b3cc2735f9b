"""Publishing without accidents: what stays, what goes, what is refused."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybuild.diagnostics import Diagnostic
from pybuild.publish import (
    Cleaned,
    Published,
    clean,
    commit,
    discard,
    load_manifest,
    load_published,
    open_stage,
    output_at,
    recover,
)
from pybuild.publish.listing import Stamp
from pybuild.records import File, by_path

MOVE = "move it out of the folder, delete it if you do not need it, or choose another folder with --out"
AGAIN = "export again, and leave .pybuild/ and the output alone until it is done"


def inodes(desk: Any) -> dict[str, int]:
    return {path: (desk.out / path).stat().st_ino for path in desk.tree()}


def test_a_first_export_is_the_whole_output(desk: Any) -> None:
    assert desk.export({"index.html": b"home", "a/b.html": b"b"}) == (Published(2, 2, 0, 0, 0), ())
    assert desk.tree() == {"index.html": b"home", "a/b.html": b"b"}
    assert desk.leftovers() == []


def test_an_unchanged_export_touches_nothing(desk: Any) -> None:
    desk.export({"index.html": b"home", "a/b.html": b"b"})
    before = desk.out.stat().st_ino, inodes(desk)
    assert desk.export({"a/b.html": b"b", "index.html": b"home"}) == (Published(2, 0, 2, 0, 0), ())
    assert (desk.out.stat().st_ino, inodes(desk)) == before


def test_an_edit_writes_one_file_and_keeps_the_others(desk: Any) -> None:
    desk.export({"index.html": b"home", "a.html": b"a", "gone.html": b"g"})
    before, time = inodes(desk), (desk.out / "a.html").stat().st_mtime_ns
    assert desk.export({"index.html": b"new", "a.html": b"a"}) == (Published(2, 1, 1, 1, 0), ())
    assert desk.tree() == {"index.html": b"new", "a.html": b"a"}
    assert inodes(desk)["a.html"] == before["a.html"] and inodes(desk)["index.html"] != before["index.html"]
    assert (desk.out / "a.html").stat().st_mtime_ns == time


def test_foreign_files_folders_and_links_survive(desk: Any) -> None:
    desk.export({"index.html": b"home", "a/b.html": b"b"})
    (desk.out / "CNAME").write_bytes(b"example.com")
    (desk.out / ".git").write_bytes(b"gitdir: elsewhere")
    (desk.out / "a/mine.txt").write_bytes(b"mine")
    (desk.out / "empty").mkdir()
    (desk.out / "link").symlink_to("/etc/passwd")
    assert desk.export({"index.html": b"new"}) == (Published(1, 1, 0, 1, 4), ())
    assert (desk.out / "link").readlink() == Path("/etc/passwd")
    (desk.out / "link").unlink()
    foreign = {"CNAME": b"example.com", ".git": b"gitdir: elsewhere", "a/mine.txt": b"mine", "empty/": b""}
    assert desk.tree() == {"index.html": b"new", **foreign}


def test_a_file_that_comes_at_the_moment_of_the_swap_is_carried_over(desk: Any, crash: Any) -> None:
    """Found in the old tree after the swap: here it is put there by hand, after a kill between the two."""
    desk.export({"a.html": b"a"})
    for point in range(10, 80):
        if not crash(point, lambda point=point: desk.export({"a.html": b"new", "n": bytes([point])})):
            break
        for tree in (desk.root / ".pybuild").glob("outputs/*/stage/tree-*"):
            if tree.is_dir() and (desk.out / "n").exists() and not (tree / "n").exists():
                (tree / "sub").mkdir()
                (tree / "sub/CNAME").write_bytes(b"example.com")
        desk.export({"a.html": b"a"})
        if (desk.out / "sub/CNAME").exists():
            assert desk.tree() == {"a.html": b"a", "sub/CNAME": b"example.com"}
            return
    raise AssertionError("no kill fell between the swap and the new manifest")


def test_without_a_manifest_different_files_are_refused(desk: Any) -> None:
    desk.out.mkdir()
    for name in "abcdefgh":
        (desk.out / f"{name}.html").write_bytes(b"mine")
    site = {f"{name}.html": b"ours" for name in "abcdefg"} | {"h.html": b"mine"}
    message = (
        "the output folder out holds what pybuild did not write and what would be overwritten: "
        "a.html, b.html, c.html, d.html, e.html and 2 more"
    )
    assert desk.export(site) == (None, (Diagnostic("unsafe-out", message, hint=MOVE),))
    assert set(desk.tree().values()) == {b"mine"} and desk.leftovers() == []


def test_without_a_manifest_equal_files_are_taken_over(desk: Any) -> None:
    desk.export({"a.html": b"a", "b.html": b"b"})
    shutil.rmtree(desk.root / ".pybuild")
    assert desk.export({"a.html": b"a", "b.html": b"b"}) == (Published(2, 2, 0, 0, 0), ())
    assert desk.export({"a.html": b"new"}) == (Published(1, 1, 0, 1, 0), ())
    assert desk.tree() == {"a.html": b"new"}


def test_adopt_overwrites_what_is_wanted_and_deletes_nothing(desk: Any) -> None:
    desk.export({"a.html": b"a", "stale.html": b"s"})
    shutil.rmtree(desk.root / ".pybuild")
    assert desk.export({"a.html": b"new"}, adopt=True) == (Published(1, 1, 0, 0, 1), ())
    assert desk.tree() == {"a.html": b"new", "stale.html": b"s"}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version":2}', b"\xff\xfe", b"[" * 9999])
def test_a_damaged_manifest_licenses_nothing(desk: Any, damage: bytes) -> None:
    desk.export({"a.html": b"a", "stale.html": b"s"})
    next((desk.root / ".pybuild").rglob("manifest.json")).write_bytes(damage)
    assert desk.export({"a.html": b"a"}) == (Published(1, 1, 0, 0, 1), ())
    assert desk.tree() == {"a.html": b"a", "stale.html": b"s"}


def test_a_deleted_output_is_made_again(desk: Any) -> None:
    desk.export({"a.html": b"a", "b.html": b"b"})
    shutil.rmtree(desk.out)
    assert desk.export({"a.html": b"a", "b.html": b"b"}) == (Published(2, 2, 0, 0, 0), ())
    (desk.out / "a.html").unlink()
    assert desk.export({"a.html": b"a", "b.html": b"b"}) == (Published(2, 1, 1, 0, 0), ())
    assert desk.tree() == {"a.html": b"a", "b.html": b"b"}


def test_an_edit_in_place_is_noticed_and_harms_no_other_file(desk: Any) -> None:
    desk.export({"a.html": b"a", "b.html": b"b"})
    desk.export({"a.html": b"a", "b.html": b"changed"})
    with (desk.out / "a.html").open("ab") as stream:
        stream.write(b"<!-- minified -->")
    assert desk.export({"a.html": b"a", "b.html": b"changed"}) == (Published(2, 1, 1, 0, 0), ())
    assert desk.tree() == {"a.html": b"a", "b.html": b"changed"}


def deface(file: Path) -> None:
    """Change bytes in place, and set back all that can be set: only `ctime` tells."""
    before = file.stat()
    with file.open("r+b") as stream:
        stream.write(b"X")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("edits", [0, 1, 2])
def test_a_defaced_file_is_mended(desk: Any, edits: int) -> None:
    site = {"a.html": b"aaaa", "b.html": b"b"}
    for number in range(edits + 1):
        site = {**site, "b.html": b"%d" % number}
        assert desk.export(site)[1] == ()
    deface(desk.out / "a.html")
    assert desk.export(site) == (Published(2, 1, 1, 0, 0), ())
    assert desk.tree() == site


def test_a_restored_output_is_compared_by_its_bytes_once(desk: Any) -> None:
    site = {"a.html": b"aaaa", "b.html": b"b"}
    desk.export(site)
    shutil.copytree(desk.out, desk.root / "kept")
    shutil.rmtree(desk.out)
    (desk.root / "kept").rename(desk.out)
    before = inodes(desk)
    assert desk.export(site) == (Published(2, 0, 2, 0, 0), ())
    assert inodes(desk) == before
    output = output_at(desk.root, desk.out)
    assert load_published(output).stamps == {
        path: Stamp.of((desk.out / path).lstat()) for path in ("a.html", "b.html")
    }


def test_without_trust_in_stamps_bytes_are_compared(desk: Any) -> None:
    desk.export({"a.html": b"aaaa"})
    deface(desk.out / "a.html")
    output = output_at(desk.root, desk.out)
    stamps = {"a.html": Stamp.of((desk.out / "a.html").lstat())}  # as if nothing told
    previous = replace(load_published(output), stamps=stamps)
    digest = previous.rows["a.html"].digest
    for compare in (False, True):
        stage, _ = open_stage(output, previous, compare=compare)
        assert stage is not None and stage.holds("a.html", digest) is not compare
        discard(stage)


def test_an_edit_during_the_export_is_refused(desk: Any) -> None:
    desk.export({"a.html": b"a", "b.html": b"b"})
    output = output_at(desk.root, desk.out)
    stage, _ = open_stage(output, load_published(output))
    files = [
        File(path, "", *stage.write(path, body)) for path, body in {"a.html": b"a", "b.html": b"new"}.items()
    ]
    (desk.out / "a.html").write_bytes(b"x")
    message = "a.html was changed or removed while the site was exported (1 in all)"
    assert commit(stage, by_path(files)) == (None, (Diagnostic("publish-error", message, hint=AGAIN),))
    assert desk.tree() == {"a.html": b"x", "b.html": b"b"}


@pytest.mark.parametrize("foreign", [False, True], ids=["swap", "files"])
def test_files_and_folders_trade_places(desk: Any, foreign: bool) -> None:
    kept = {"CNAME": b"c"} if foreign else {}
    desk.export({"a": b"file", "b/c/d": b"deep", "b/e": b"e", "Z/x": b"x"})
    for path, body in kept.items():
        (desk.out / path).write_bytes(body)
    desk.export({"a/x": b"folder", "b": b"file", "z/x": b"x"})
    assert desk.tree() == {"a/x": b"folder", "b": b"file", "z/x": b"x", **kept}
    desk.export({"a": b"file", "b/c/d": b"deep"})
    assert desk.tree() == {"a": b"file", "b/c/d": b"deep", **kept}


def mine_below_a(out: Path) -> None:
    (out / "a/mine").write_bytes(b"mine")


def file_at_n(out: Path) -> None:
    (out / "n").write_bytes(b"mine")


def folder_at_n(out: Path) -> None:
    (out / "n").mkdir()


def link_at_n(out: Path) -> None:
    (out / "n").symlink_to(out.parent / "victim")


def pipe_at_n(out: Path) -> None:
    os.mkfifo(out / "n")


def link_for_ours(out: Path) -> None:
    (out / "b").unlink()
    (out / "b").symlink_to(out.parent / "victim/file")


WAYS: list[tuple[Callable[[Path], None], dict[str, bytes], str]] = [
    (mine_below_a, {"a": b"file"}, "a/mine"),
    (file_at_n, {"n/x": b"x"}, "n"),
    (folder_at_n, {"n": b"x"}, "n"),
    (link_at_n, {"n": b"x"}, "n"),
    (link_at_n, {"n/file": b"x"}, "n"),
    (pipe_at_n, {"n": b"x"}, "n"),
    (link_for_ours, {"b": b"x"}, "b"),
]


@pytest.mark.parametrize("adopt", [False, True])
@pytest.mark.parametrize(("prepare", "site", "named"), WAYS)
def test_what_is_foreign_and_in_the_way_is_refused_first(
    desk: Any, prepare: Callable[[Path], None], site: dict[str, bytes], named: str, adopt: bool
) -> None:
    (desk.root / "victim").mkdir()
    (desk.root / "victim/file").write_bytes(b"precious")
    desk.export({"a/b": b"b", "b": b"b"})
    prepare(desk.out)
    before = sorted(desk.out.rglob("*"))
    message = (
        f"the output folder out holds what pybuild did not write and what would have to be removed: {named}"
    )
    assert desk.export(site, adopt=adopt) == (None, (Diagnostic("unsafe-out", message, hint=MOVE),))
    assert sorted(desk.out.rglob("*")) == before
    assert (desk.root / "victim/file").read_bytes() == b"precious"


def test_a_symlink_in_place_of_our_file_is_not_followed_nor_deleted(desk: Any) -> None:
    (desk.root / "victim").write_bytes(b"precious")
    desk.export({"a": b"a", "b": b"b", "c/d": b"d"})
    (desk.out / "b").unlink()
    (desk.out / "b").symlink_to(desk.root / "victim")
    shutil.rmtree(desk.out / "c")
    (desk.out / "c").symlink_to(desk.root)
    assert desk.export({"a": b"new"}) == (Published(1, 1, 0, 0, 2), ())
    assert (desk.out / "b").is_symlink() and (desk.out / "c").is_symlink()
    assert (desk.root / "victim").read_bytes() == b"precious"


def test_an_output_behind_a_symlink_stays_behind_it(desk: Any) -> None:
    (desk.root / "www").mkdir()
    desk.out.symlink_to("www")
    desk.export({"a": b"a"})
    desk.export({"a": b"b"})
    assert desk.out.is_symlink() and desk.tree() == {"a": b"b"}


def test_outputs_of_one_site_do_not_disturb_each_other(desk: Any) -> None:
    other = type(desk)(desk.root, desk.root / "dist/public")
    desk.export({"a": b"1"})
    other.export({"b": b"2"})
    desk.export({"c": b"3"})
    assert (desk.tree(), other.tree()) == ({"c": b"3"}, {"b": b"2"})


def test_modes_are_those_of_a_web_server_whatever_the_umask(desk: Any) -> None:
    before = os.umask(0o077)
    try:
        desk.export({"a/b/c.html": b"c", "d": b"d"})
    finally:
        os.umask(before)
    modes = {p.relative_to(desk.root).as_posix(): p.stat().st_mode & 0o7777 for p in desk.out.rglob("*")}
    assert modes == {"out/a": 0o755, "out/a/b": 0o755, "out/a/b/c.html": 0o644, "out/d": 0o644}
    assert desk.out.stat().st_mode & 0o7777 == 0o755


def test_a_file_made_private_is_written_anew(desk: Any) -> None:
    desk.export({"a": b"a"})
    (desk.out / "a").chmod(0o600)
    assert desk.export({"a": b"a"}) == (Published(1, 1, 0, 0, 0), ())
    assert (desk.out / "a").stat().st_mode & 0o777 == 0o644


def test_what_a_lost_worker_staged_is_not_published(desk: Any) -> None:
    desk.export({"a": b"a"})
    output = output_at(desk.root, desk.out)
    stage, _ = open_stage(output, load_published(output))
    stage.write("lost/page", b"half")
    assert commit(stage, by_path([File("b", "", *stage.write("b", b"b"))]))[1] == ()
    assert desk.tree() == {"b": b"b"}


def test_a_disk_that_says_no_is_one_finding(desk: Any) -> None:
    desk.out.write_bytes(b"a file")
    message = f"could not publish the site, the output is as it was: Not a directory: {desk.out}"
    hint = "remove the cause and export again"
    assert desk.export({"a": b"a"}) == (None, (Diagnostic("publish-error", message, hint=hint),))
    assert desk.out.read_bytes() == b"a file"


def test_clean_deletes_what_was_published_and_nothing_else(desk: Any) -> None:
    desk.export({"a/b/c": b"c", "d": b"d"})
    (desk.out / "a/mine").write_bytes(b"mine")
    output = output_at(desk.root, desk.out)
    assert clean(output) == (Cleaned(removed=2, foreign=1), ())
    assert desk.tree() == {"a/mine": b"mine"} and not output.state.exists()
    assert clean(output) == (Cleaned(removed=0, foreign=1), ())


def test_clean_removes_an_output_that_was_all_ours(desk: Any) -> None:
    desk.export({"a/b/c": b"c", "d": b"d"})
    assert clean(output_at(desk.root, desk.out)) == (Cleaned(removed=2, foreign=0), ())
    assert not desk.out.exists()


def test_recover_leaves_a_folder_alone_that_only_looks_like_a_stage(desk: Any) -> None:
    looks = desk.root / ".out.pybuild-stage"
    looks.mkdir()
    (looks / "mine").write_bytes(b"mine")
    assert recover(output_at(desk.root, desk.out)) == ()
    assert (looks / "mine").read_bytes() == b"mine"


NAMES = st.sampled_from(["a", "b", "A", "index.html", "é.html", "_headers", "sitemap.xml"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


def without_conflicts(paths: dict[str, bytes]) -> dict[str, bytes]:
    """Keep a path only where no kept one is its folder or its content."""
    kept: dict[str, bytes] = {}
    for path, body in paths.items():
        if not any(f"{path}/".startswith(f"{k}/") or f"{k}/".startswith(f"{path}/") for k in kept):
            kept[path] = body
    return kept


SITES = st.dictionaries(PATHS, st.binary(max_size=3), max_size=8).map(without_conflicts)
EDITS = st.sampled_from(["nothing", "foreign", "delete out", "delete state", "append", "trim"])


@settings(derandomize=True, max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(EDITS, SITES), min_size=2, max_size=5))
def test_after_any_history_the_output_is_the_site_and_the_foreign_files(
    scratch: Path, desk: Any, steps: list[tuple[str, dict[str, bytes]]]
) -> None:
    root = Path(tempfile.mkdtemp(dir=scratch))
    desk = type(desk)(root, root / "out")
    foreign: dict[str, bytes] = {}
    for edit, site in steps:
        before = desk.tree()
        if edit == "delete out":
            shutil.rmtree(desk.out, ignore_errors=True)
            foreign = {}
        elif edit == "delete state":
            shutil.rmtree(root / ".pybuild", ignore_errors=True)
            foreign = before
        elif edit == "foreign" and desk.out.is_dir():
            (desk.out / "mine").write_bytes(b"mine")
            foreign["mine"] = b"mine"
        elif before and edit in {"append", "trim"}:
            (desk.out / min(p for p in before)).write_bytes(b"edited" if edit == "append" else b"")
            foreign |= {path: (desk.out / path).read_bytes() for path in foreign}
        standing = desk.tree()
        published, findings = desk.export(site, adopt=True)
        if findings:
            assert {finding.code for finding in findings} == {"unsafe-out"}
            assert desk.tree() == standing
            continue
        foreign = {path: body for path, body in foreign.items() if path not in site}
        assert desk.tree() == {**foreign, **site}
        assert published.files == len(site) and desk.leftovers() == []


def test_a_memo_is_kept_with_the_manifest_even_where_no_file_changes(desk: Any) -> None:
    output = output_at(desk.root, desk.out)
    for memo in ({"rules": ["a"]}, {"rules": ["b"]}, None):
        stage, _ = open_stage(output, load_published(output))
        assert commit(stage, by_path([File("a", "", *stage.write("a", b"a"))]), memo=memo)[1] == ()
        assert load_manifest(output).memo == memo


def test_a_stage_pickles(desk: Any) -> None:
    desk.export({"a": b"a"})
    output = output_at(desk.root, desk.out)
    stage, _ = open_stage(output, load_published(output))
    copy = pickle.loads(pickle.dumps(stage))
    copy.write("b", b"b")
    assert copy == stage and (stage.tree / "b").read_bytes() == b"b"
