"""Edits of texts: what is made without going through all phases is what all phases make."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from incremental import EDITS, LOOK, OWN, PLAIN, assert_same_as_clean, change, more, put, run, write_site

from pybuild.cache import fingerprint
from pybuild.cli.new import starter_files
from pybuild.publish import spare

SITES = {"own": OWN, "look": LOOK}
FEW = ("start", "render", "publish", "cache")  # the phases of an edit of texts


@pytest.fixture(autouse=True)
def as_if_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is as if it were old."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1717200000")
    monkeypatch.setattr(fingerprint, "MARGIN", 0)
    monkeypatch.setattr(spare, "SETTLED", 0)


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A site that was exported."""
    root = tmp_path / "site"
    write_site(root, PLAIN, SITES[request.param])
    EDITS["delete a"](root)  # without findings in what is edited
    put(
        root, "content/docs/a.md", "---\ntitle: A\n---\nFirst.\n\n## Second\n\n[b](b.md) [i](index.md#docs)\n"
    )
    run(root)
    return root


def test_texts_are_exported_without_the_rest(site: Path, tmp_path: Path) -> None:
    for path in ("content/docs/a.md", "content/docs/b.md", "content/docs/a.md", "content/docs/a.md"):
        more(site, path)
        done = assert_same_as_clean(site, tmp_path / "work")
        assert (done.laps, done.cached) == (FEW, done.counts[0] - 1)
    assert assert_same_as_clean(site, tmp_path / "work").laps == ()
    EDITS["retitle"](site)
    assert "discover" in assert_same_as_clean(site, tmp_path / "work").laps


def test_several_texts_at_once(site: Path, tmp_path: Path) -> None:
    for path in ("content/docs/a.md", "content/docs/b.md", "content/posts/one.md"):
        more(site, path)
    done = assert_same_as_clean(site, tmp_path / "work")
    assert (done.laps, done.cached) == (FEW, done.counts[0] - 3)


def test_a_text_that_feeds_show(site: Path, tmp_path: Path) -> None:
    for _ in range(2):
        more(site, "content/posts/three.md", "Something that a feed shows.")
        assert assert_same_as_clean(site, tmp_path / "work").laps == FEW
        assert "Something that a feed shows." in (site / "out/rss.xml").read_text("utf-8")


SETTINGS = """[site]
url = "https://example.com"
title = "T"

[feed]
formats = ["rss", "atom", "json"]

[collections.blog]
source = "content/blog"
route = "/blog/[...slug]"
list = true
tags = "/blog/tags/[tag]"
authors = "/blog/by/[author]"
per_page = 2
"""


@pytest.mark.parametrize("index", ["", "# All posts\n\nThey are these.\n"])
def test_texts_that_lists_tags_and_feeds_show(index: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    posts = {
        f"content/blog/post-{n}.md": f"---\ntitle: Post {n}\ndate: 2024-01-0{n}\ntags: [all, {'odd' if n % 2 else 'even'}]\n"
        f"author: Jo\n---\nThe first paragraph.\n\nThe second one.\n"
        for n in range(1, 7)
    }
    write_site(site, {"pybuild.toml": SETTINGS, "content/blog/index.md": index, **posts})
    run(site)
    words = "word " * 400  # another time of reading, which lists show
    for number, text in ((6, "Some."), (3, words), (3, "More."), (1, words)):
        more(site, f"content/blog/post-{number}.md", text)
        assert assert_same_as_clean(site, tmp_path / "work").laps == FEW
    for file in list(posts)[:3]:
        more(site, file, words)
    assert assert_same_as_clean(site, tmp_path / "work").laps == FEW
    if index:
        more(site, "content/blog/index.md", "One more sentence.")
        assert assert_same_as_clean(site, tmp_path / "work").laps == FEW
    change(site, "content/blog/post-2.md", "The first paragraph.", "What lists show of it.")
    assert "discover" in assert_same_as_clean(site, tmp_path / "work").laps
    change(site, "content/blog/post-2.md", "2024-01-02", "2024-01-09")
    assert "discover" in assert_same_as_clean(site, tmp_path / "work").laps


def test_the_first_text_of_a_document_that_its_page_does_not_show(tmp_path: Path) -> None:
    site = tmp_path / "site"
    settings = '[site]\nurl = "https://example.com"\ntitle = "T"\n\n[collections.people]\n'
    said = "---\ntitle: Kim\ndescription: Draws maps.\n---\n"
    write_site(
        site,
        {
            "pybuild.toml": f'{settings}source = "content/people"\nroute = "/people/[slug]"\n',
            "app/people/[slug]/page.html": "<h1>{{ document.title }}</h1>\n",
            "content/people/kim.md": said,
        },
    )
    assert [finding.code for finding in run(site).findings] == ["rules-lost"]
    more(site, "content/people/kim.md", "A text.")
    done = assert_same_as_clean(site, tmp_path / "work")
    assert [finding.code for finding in done.findings] == ["rules-lost", "template-error"]
    more(site, "content/people/kim.md", "More of it.")
    assert assert_same_as_clean(site, tmp_path / "work").findings == done.findings


@pytest.mark.parametrize("name", ["docs", "blog"])
def test_each_text_of_a_starter(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")  # its posts are older
    site = tmp_path / "site"
    for path, body in starter_files(name, title="T", url="https://example.com").items():
        put(site, path, body.decode())
    run(site)
    for file in sorted(file for folder in ("app", "content") for file in (site / folder).rglob("*.md")):
        more(site, str(file.relative_to(site)), "One more sentence.")
        assert assert_same_as_clean(site, tmp_path / "work").laps == FEW, file


def test_a_text_that_shows_nothing_new(site: Path, tmp_path: Path) -> None:
    more(site, "content/docs/a.md", "")
    assert assert_same_as_clean(site, tmp_path / "work").laps == FEW


MORE: dict[str, Callable[[Path], None]] = {
    "a heading": lambda r: change(r, "content/docs/a.md", "## Second", "## Other"),
    "the description": lambda r: change(r, "content/docs/a.md", "First.", "Premier."),
    "the title": lambda r: change(r, "content/docs/a.md", "title: A", "title: Z"),
    "a dead link": lambda r: more(r, "content/docs/a.md", "[dead](dead.md)"),
    "a dead anchor": lambda r: more(r, "content/docs/a.md", "[dead](b.md#dead)"),
    "a picture": lambda r: more(r, "content/docs/a.md", "![](pic.png)"),
    "what is included": lambda r: more(r, "content/docs/a.md", '::: include file="/pybuild.toml"'),
    "a page with findings": lambda r: more(r, "content/docs/index.md"),
    "another file": lambda r: (more(r, "content/docs/a.md"), put(r, "public/a.txt", "other"))[0],
    "a new document": lambda r: (more(r, "content/docs/a.md"), put(r, "content/docs/n.md", "# N\n"))[0],
    "the output": lambda r: (more(r, "content/docs/a.md"), put(r, "out/docs/b.html", "mine"))[0],
    "a file of others": lambda r: (more(r, "content/docs/a.md"), put(r, "out/docs/mine", "mine"))[0],
}


@pytest.mark.parametrize("name", MORE)
def test_more_than_a_text(name: str, site: Path, tmp_path: Path) -> None:
    """All phases are gone through, and the next edit of a text needs few again."""
    MORE[name](site)
    if name == "a file of others":
        assert "discover" in run(site).laps
        (site / "out/docs/mine").unlink()
        return
    assert "discover" in assert_same_as_clean(site, tmp_path / "work").laps
    more(site, "content/docs/b.md")
    assert_same_as_clean(site, tmp_path / "work")


def trees(site: Path) -> list[Path]:
    return list((site / ".pybuild").glob("outputs/*/spare/tree-*"))


HARM: dict[str, Callable[[Path], object]] = {
    "gone": shutil.rmtree,
    "a file less": lambda tree: (tree / "docs/b.html").unlink(),
    "another file": lambda tree: ((tree / "docs/b.html").unlink(), (tree / "docs/b.html").write_text("mine")),
    "a folder closed": lambda tree: (tree / "docs").chmod(0o700),
    "its note": lambda tree: (tree.parents[1] / "spare.json").write_text("{}"),
}


@pytest.mark.parametrize("name", HARM)
def test_whatever_became_of_the_spare_tree(name: str, site: Path, tmp_path: Path) -> None:
    for number in range(3):
        more(site, "content/docs/a.md", f"Number {number}.")
        assert_same_as_clean(site, tmp_path / "work")
        for tree in trees(site):
            HARM[name](tree)
    assert {p.stat().st_mode & 0o777 for p in (site / "out").rglob("*") if p.is_dir()} == {0o755}


def test_an_edit_links_no_file_that_stays(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, link = [], os.link
    for number in range(4):
        made.clear()
        monkeypatch.setattr(
            os, "link", lambda *words, **named: (made.append(words[0]), link(*words, **named))[1]
        )
        more(site, "content/docs/a.md", f"Number {number}.")
        assert run(site).laps == FEW
    changed = {"docs/a.html", "docs/a.md", "llms-full.txt"}
    assert {str(Path(path).relative_to(site / "out")) for path in made} <= changed
