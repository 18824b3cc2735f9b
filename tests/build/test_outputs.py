"""The outputs of whole exports, read back by programs of others: feed readers, schemas, reference parsers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import feedparser
import pytest
import xmlschema
import yaml
from harness import SAMPLE_TIME, Files, Run, copy_sample, run_command
from llms_txt import parse_llms_file
from lxml import etree
from markdown_it import MarkdownIt
from markdown_pages import markdown_pages
from protego import Protego

SCHEMA = Path(__file__).parents[1] / "data/sitemap.xsd"
FEEDS = {"rss.xml": "rss20", "atom.xml": "atom10"}
WORLD = """trailing_slash = true
[site]
url = "https://example.com/münchen"
title = "Straße & <Söhne>"
description = "Alles über «Straßen»"
author = "Jürgen Groß <j@example.com>"
language = "de"
timezone = "Europe/Berlin"
[collections.docs]
source = "content"
route = "/docs/[[...slug]]"
[feed]
formats = ["atom", "json"]
"""
WORLD_FILES = {
    "pybuild.toml": WORLD,
    "content/index.md": "---\ntitle: Übersicht\n---\n[Käse](käse/größe.md) [א](שלום.md#עברית) [C](c&d.md)\n",
    "content/käse/größe.md": "---\ntitle: Größe <b>&</b>\ndate: 2025-03-01\n---\n# Größe\n\n[zurück](../index.md)\n",
    "content/שלום.md": "---\ntitle: שלום\nlang: he\ndate: 2025-03-02 10:00\n---\n## עברית\n\nשלום עולם\n",
    "content/c&d.md": "---\ntitle: a ]( b\ndescription: '# no heading'\ndate: 2025-07-01\n---\n```\n# no\n```\n",
    "app/page.html": "<h1>{{ site.title }}</h1><p><a href='/docs/'>Docs</a></p>",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = copy_sample(tmp_path_factory.mktemp("sample") / "site")
    run = run_command(root, "export", str(root), "--format", "json", env=SAMPLE_TIME)
    assert (run.code, run.findings) == (0, [])
    return run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A site below a base path, with trailing slashes, in German with a page in Hebrew."""
    root = tmp_path_factory.mktemp("world")
    for path, text in WORLD_FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    run = run_command(root, "export", str(root), "--format", "json")
    assert (run.code, run.findings) == (0, [])
    return run


@pytest.fixture(params=["sample", "world"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("file", FEEDS)
def test_feeds_parse(run: Run, file: str) -> None:
    feed = feedparser.parse((run.out / file).read_bytes())
    assert (feed.bozo, feed.version) == (False, FEEDS[file])
    dates = [entry.published_parsed for entry in feed.entries]
    assert dates == sorted(dates, reverse=True) and len(dates) > 2
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
    assert all(entry.link.startswith("https://") for entry in feed.entries)
    assert not re.search(
        r"""(?:href|src)=["'](?!https?:|mailto:)""", "".join(e.content[0].value for e in feed.entries)
    )


def test_feed_json_is_version_1_1(run: Run) -> None:
    feed = json.loads(run.text("feed.json"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"].endswith("/feed.json") and feed["home_page_url"].endswith("/")
    assert all(
        item["id"] and item["url"] and (item.get("content_html") or item.get("content_text"))
        for item in feed["items"]
    )
    assert len(feed["items"]) > 2


def test_sitemap_is_valid_and_names_pages_that_exist(run: Run) -> None:
    tree = etree.fromstring((run.out / "sitemap.xml").read_bytes())
    for foreign in tree.xpath("//*[namespace-uri() != $own]", own=etree.QName(tree).namespace):
        foreign.getparent().remove(foreign)  # the schemas of extensions are not in it
    xmlschema.XMLSchema(SCHEMA).validate(tree)
    urls = [loc.text for loc in tree.iterfind("{*}url/{*}loc")]
    assert len(urls) == len(set(urls)) > 3
    assert [url for url in urls if not _file(run, url).is_file()] == []


def _base(run: Run) -> str:
    return json.loads(run.text("feed.json"))["home_page_url"]


def _file(run: Run, url: str) -> Path:
    """The file that a static host answers an absolute URL of the site with."""
    base = _base(run)
    assert url.isascii() and url.startswith(base), url
    path = unquote(urlsplit(url).path.removeprefix(urlsplit(base).path))
    places = (path, f"{path}.html", f"{path}/index.html", f"{path}/index.json")
    found = (run.out / place.strip("/") for place in places)
    return next((file for file in found if file.is_file()), run.out / path)


def test_llms_txt_goes_through_the_reference_parser(run: Run) -> None:
    parsed = parse_llms_file(run.text("llms.txt"))
    assert parsed.title and parsed.summary
    links = [link for section in parsed.sections.values() for link in section]
    assert len(links) > 3
    assert [link.url for link in links if not _file(run, link.url).is_file()] == []


def test_llms_txt_of_the_world_is_whole(world: Run) -> None:
    parsed = parse_llms_file(world.text("llms.txt"))
    assert (parsed.title, parsed.summary) == ("Straße & <Söhne>", "Alles über «Straßen»")
    assert [
        (name, link.title, link.desc) for name in ("Docs", "Docs: Käse") for link in parsed.sections[name]
    ] == [
        ("Docs", "Übersicht", "Käse א C"),
        ("Docs", "a )( b", "# no heading"),
        ("Docs", "שלום", "שלום עולם"),
        ("Docs", "Käse", "Größe <b>&</b>"),
        ("Docs: Käse", "Größe <b>&</b>", "zurück"),
    ]


def test_a_long_llms_txt_becomes_files_that_all_parse(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    settings = '[site]\nurl = "https://example.com"\ntitle = "Long"\n[llms]\nsplit = 900\nfull = 9000\n'
    settings += "".join(
        f'[collections.{n}]\nsource = "content/{n}"\nroute = "/{n}/[slug]"\n' for n in ("one", "two")
    )
    pages = markdown_pages(10, seed=3)
    run = export(
        site(
            {
                "pybuild.toml": settings,
                **{f"content/{n}/{f}": t for n in ("one", "two") for f, t in pages.items()},
            }
        )
    )
    assert run.code == 0
    files = [path for path in run.files if path.rpartition("/")[2].startswith("llms") and "full" not in path]
    parsed = {path: parse_llms_file(run.text(path)) for path in files}
    assert list(parsed["llms.txt"].sections) == ["Sections"]
    assert all(len(run.text(path)) <= 900 for path in files)
    links = [link.url for file in parsed.values() for section in file.sections.values() for link in section]
    assert {url for url in links if url.endswith(".md")} == {
        *(f"https://example.com/{n}.md" for n in ("one", "two")),
        *(f"https://example.com/{n}/p{i}.md" for n in ("one", "two") for i in range(10)),
    }
    assert [url for url in links if not (run.out / urlsplit(url).path[1:]).is_file()] == []


def test_robots_txt_says_what_was_asked(sample: Run) -> None:
    rules = Protego.parse(sample.text("robots.txt"))
    assert list(rules.sitemaps) == ["https://tidewater.example/sitemap.xml"]
    assert not rules.can_fetch("https://tidewater.example/v1/stations", "GPTBot")
    assert rules.can_fetch("https://tidewater.example/docs.md", "GPTBot")


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    opening, block, body = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(block), body


def test_every_page_has_a_variant_of_the_right_shape(run: Run) -> None:
    pages = [
        path
        for path in run.files
        if path.endswith(".html") and path != "404.html" and "http-equiv" not in run.text(path)
    ]
    assert len(pages) > 3
    for path in pages:
        html = run.text(path)
        href = re.search(r'<link rel="alternate" type="text/markdown" href="([^"]+)"', html)
        assert href, path
        front, body = _front_matter(_file(run, href[1].replace("&amp;", "&")).read_text("utf-8"))
        assert (
            front.keys() <= {"title", "description", "url", "date", "lastmod", "lang"}
            and {"title", "url"} <= front.keys()
        )
        assert _file(run, front["url"]) == run.out / path
        language = "de/" if path == "de.html" or path.startswith("de/") else ""
        assert body.startswith(
            f"\n> For the complete documentation index, see [llms.txt]({_base(run)}{language}llms.txt).\n\n"
        )
        _check_body(run, body, path)


def _check_body(run: Run, body: str, path: str) -> None:
    """One H1, no open fence, every link absolute, and those of the site to files that exist."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    assert [t.tag for t in tokens if t.type == "heading_open"].count("h1") == 1, path
    lines = body.splitlines()
    for token in tokens:
        if token.type == "fence" and token.level == 0:
            assert lines[token.map[1] - 1].startswith(token.markup), path
        for child in token.children or ():
            href = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if href.startswith(_base(run)):
                assert _file(run, href.partition("#")[0]).is_file(), (path, href)
            elif href:
                assert re.match(r"(?:https?|mailto|tel):|#", href), (path, href)


def test_with_trailing_slashes_both_spellings_of_a_variant_are_there(world: Run) -> None:
    variants = {path: world.text(path) for path in world.files if path.endswith(".md")}
    assert sorted(variants) == sorted(
        ["index.md", "docs.md", "docs/index.md", "docs/c&d.md", "docs/c&d/index.md", "docs/käse/größe.md"]
        + [
            "docs/käse.md",
            "docs/käse/index.md",
            "docs/käse/größe/index.md",
            "docs/שלום.md",
            "docs/שלום/index.md",
        ]
    )
    assert all(
        variants[p] == variants[p.removesuffix("/index.md") + ".md"]
        for p in variants
        if p.endswith("/index.md")
    )


def test_languages_reach_every_output(world: Run) -> None:
    """Of the site, and of the one page that is in another language and direction."""
    german, hebrew = world.text("docs/index.html"), world.text("docs/שלום/index.html")
    assert '<html lang="de"' in german and '<html lang="he" dir="rtl"' in hebrew
    assert _front_matter(world.text("docs/שלום.md"))[0]["lang"] == "he"
    assert feedparser.parse(world.text("rss.xml")).feed.language == "de"
    feed = json.loads(world.text("feed.json"))
    assert feed["language"] == "de" and [item.get("language") for item in feed["items"]] == [None, "he", None]


def test_dates_without_a_zone_are_in_that_of_the_site(world: Run) -> None:
    feed = json.loads(world.text("feed.json"))
    assert [item["date_published"] for item in feed["items"]] == [
        "2025-07-01T00:00:00+02:00",
        "2025-03-02T10:00:00+01:00",
        "2025-03-01T00:00:00+01:00",
    ]
