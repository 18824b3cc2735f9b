"""Judgements on a listing, without a disk."""

from __future__ import annotations

from pathlib import Path

from pybuild.publish.listing import Listing, list_tree, obstacles, parents_of, place_order, split_stale

SEEN = Path(__file__).stat()


def listing(*files: str, others: frozenset[str] = frozenset()) -> Listing:
    return Listing(dict.fromkeys(files, SEEN), parents_of(files) | parents_of(others), others)


def test_a_listing_names_links_and_does_not_follow_them(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/file").touch()
    (tmp_path / "a/loop").symlink_to("..")
    (tmp_path / "skipped/x").mkdir(parents=True)
    found = list_tree(tmp_path, skip="skipped")
    assert (sorted(found.files), found.folders, found.others) == (["a/file"], {"a", "a/b"}, {"a/loop"})
    assert list_tree(tmp_path / "absent") == Listing()


def test_folders_that_lead_to_paths() -> None:
    assert parents_of(["a/b/c.html", "a/d.html", "e"]) == {"a", "a/b"}


def test_foreign_is_what_neither_site_names() -> None:
    found = Listing({"a/ours": SEEN, "a/mine": SEEN}, frozenset({"a", "empty"}), frozenset({"link"}))
    assert found.foreign({"a/ours", "link"}) == ["a/mine", "empty", "link"]


def test_ours_never_stands_in_the_way() -> None:
    assert obstacles(listing("a/b", "c"), {"a/b", "c"}, {"a", "c/d"}) == []


def test_foreign_things_stand_in_the_way() -> None:
    found = listing("a/b", "a/mine", "c", others=frozenset({"l"}))
    assert obstacles(found, {"a/b"}, {"a", "c/d", "l/x", "new"}) == ["a/mine", "c", "l"]


def test_what_goes_first() -> None:
    found = listing("a/b", "c", "E.html", "F/x", "gone", "kept")
    first, rest = split_stale(found, set(found.files), {"a", "c/d", "e.html", "f/x", "kept"})
    assert (first, rest) == (["E.html", "F/x", "a/b", "c"], ["gone"])


def test_rules_and_lists_come_after_what_they_name() -> None:
    order = [
        "assets/a.css",
        "docs/a.html",
        "docs/a.md",
        "docs/index.html",
        "index.html",
        "sitemap.xml",
        "rss.xml",
        "atom.xml",
        "feed.json",
        "llms-full.txt",
        "llms.txt",
        "_headers",
        "_redirects",
    ]
    assert place_order(list(reversed(order))) == order
