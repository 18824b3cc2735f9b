from __future__ import annotations

from dataclasses import replace

import pytest

from pybuild.config.schema import Feed
from pybuild.site_files.selection import FeedLink, changed, feed_links, feed_pages, listed, url_filter


def test_listed_pages_are_sorted_and_leave_out_noindex_and_404(page) -> None:
    pages = [page("/b"), page("/a"), page("/hidden", indexed=False), page("/404"), page("/")]
    assert [p.url for p in listed(pages)] == ["/", "/a", "/b"]


@pytest.mark.parametrize(
    ("glob", "hits", "misses"),
    [
        ("/a", ["/a"], ["/a/b", "/ab"]),
        ("/a/*", ["/a/b"], ["/a", "/a/b/c"]),
        ("/a/**", ["/a", "/a/b", "/a/b/c"], ["/ab"]),
        ("/**/x", ["/x", "/a/x", "/a/b/x"], ["/ax"]),
        ("**draft**", ["/my-draft", "/draft/a"], ["/final"]),
        ("/?.[x]", ["/a.[x]"], ["/ab.[x]", "/a.x"]),
    ],
)
def test_globs(glob: str, hits: list[str], misses: list[str]) -> None:
    matches = url_filter([glob])
    assert [url for url in hits + misses if matches(url)] == hits


def test_no_globs_match_nothing() -> None:
    assert not url_filter([])("/")


def test_feed_pages_are_dated_newest_first_ties_by_url(page, config) -> None:
    old, new = "2024-01-01T23:00:00-05:00", "2024-01-02T05:00:00+00:00"  # an hour apart
    pages = [page("/c", date=new), page("/b", date=new), page("/a", date=old), page("/undated")]
    assert [p.url for p in feed_pages(pages, config())] == ["/b", "/c", "/a"]
    assert [p.url for p in feed_pages(pages, config(feed=Feed(limit=1)))] == ["/b"]


def test_feed_pages_by_collection(page, config, docs) -> None:
    day = "2024-01-01T00:00:00+00:00"
    pages = [
        page("/p", date=day),
        page("/d", date=day, collection="docs"),
        page("/b", date=day, collection="blog"),
    ]
    quiet = {**docs, "docs": replace(docs["docs"], feed=False)}
    assert [p.url for p in feed_pages(pages, config(collections=quiet))] == ["/b", "/p"]
    only = config(collections=docs, feed=Feed(collections=("docs",)))
    assert [p.url for p in feed_pages(pages, only)] == ["/d"]


def test_a_page_has_not_changed_before_its_date(page) -> None:
    early, late = "2024-01-01T12:00:00+00:00", "2024-01-01T12:00:00-01:00"
    assert changed(page("/a", date=late, updated=early)) == late
    assert changed(page("/a", date=early, updated=late)) == late
    assert [changed(page("/a", date=early)), changed(page("/a"))] == [early, ""]


def test_feed_links_name_rss_first(config) -> None:
    links = feed_links(config(url="https://a.example/x", feed=Feed(formats=("json", "rss"), title="News")))
    assert links == (
        FeedLink("https://a.example/x/rss.xml", "application/rss+xml", "News"),
        FeedLink("https://a.example/x/feed.json", "application/feed+json", "News"),
    )
