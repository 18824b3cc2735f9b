"""How many clicks lead from the home page to each page of a site that has settings and documents alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Files, Run
from selectolax.lexbor import LexborHTMLParser

SETTINGS = """[site]
url = "https://example.com"
title = "Clicks"
[collections.guide]
source = "content/guide"
route = "/guide/[...slug]"
[collections.book]
source = "content/book"
route = "/book/[...slug]"
[collections.blog]
source = "content/blog"
route = "/blog/[slug]"
list = true
per_page = 2
tags = "/blog/tags/[tag]"
authors = "/blog/authors/[author]"
"""


def documents() -> Files:
    """Folders in folders, more documents than a menu lists, and a list of many pages."""
    files: dict[str, str | bytes] = {"pybuild.toml": SETTINGS}
    for one in "abc":
        for two in "de":
            for three in "fg":
                for name in range(4):
                    files[f"content/guide/{one}/{two}/{three}/{name}.md"] = (
                        f"# {one}{two}{three}{name}\n\nText.\n"
                    )
    for number in range(230):
        files[f"content/book/part-{number % 7}/{number}.md"] = f"# Chapter {number}\n\nText.\n"
    for number in range(46):
        front = (
            f"date: 2025-01-{number % 28 + 1:02}\ntags: [t{number % 5}, u{number}]\nauthor: A{number % 9}\n"
        )
        files[f"content/blog/{number}.md"] = f"---\n{front}---\n\n# Post {number}\n\nText.\n"
    return files


def clicks(run: Run) -> dict[str, int]:
    """The number of clicks from `/` to each page, by links that are there without a script."""
    known, new = {"/": 0}, ["/"]
    for steps in range(1, 9):
        linked = [href for url in new for href in hrefs(run.text(f"{url[1:] or 'index'}.html"))]
        found = {href for href in linked if href not in known and (run.out / f"{href[1:]}.html").is_file()}
        known |= dict.fromkeys(found, steps)
        new = sorted(found)
    return known


def hrefs(html: str) -> list[str]:
    links = (link.attrs.get("href") or "" for link in LexborHTMLParser(html).css("a[href]"))
    return [href.partition("#")[0] for href in links if href.startswith("/")]


@pytest.mark.slow
def test_every_document_is_three_clicks_away_and_all_else_four(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    run = export(site(documents()))
    assert run.code == 0
    pages = {
        "/" + path.removesuffix(".html").removesuffix("index") for path in run.files if path.endswith(".html")
    }
    found = clicks(run)
    assert pages - found.keys() == {"/404"}
    lists = {url for url in pages if url.startswith(("/blog/page/", "/blog/tags", "/blog/authors"))}
    written = {url for url in pages if (run.out / f"{url[1:]}.md").is_file()} - lists
    assert len(written) == 48 + 230 + 46 + 31  # the last are pages of folders and collections
    assert {url: found[url] for url in written if found[url] > 3} == {}
    assert max(found.values()) <= 4
