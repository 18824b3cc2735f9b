"""Text that attacks: whatever a title, a description, a tag or a slug says, it comes out of every output as text.

Outside truth: expat, feedparser, the reference parser of llms.txt, PyYAML, a CommonMark parser, lexbor.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import feedparser
import yaml
from harness import Run, run_command
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from llms_txt import parse_llms_file
from selectolax.lexbor import LexborHTMLParser

from pybuild.urls import collision_key, nfc, segment_fault

HOSTILE = (
    "<script>alert(1)</script>", '" onload="x()', "' onx='", "]]>", "<!--", "-->", "</title>", "&amp;", "&#x3c;b&#x3e;", "{{ 7*7 }}",
    "{% raw %}", "${x}", "$$", "\\1", "\\g<0>", "%s", "%0a", "javascript:alert(1)", "](https://evil.example)", "[x]", "# h", "- item",
    "> quote", "---", "\n---\n", "\nlink: x", "| a | b |", "```", "~~~", "`", "*", "_", "\x00", "\x0b", "\x1f", "\x7f", "\u2028", "\ufffe", "\u202e",
    "‏שלום", "é", "e\u0301", "😀", "  ", "\t", "\r\n", ": ", "#", "@", "!", "~", "=1+1", "..", "/*", "\\", "'", '"', "1.", "+", "<b>", "&", "0", "null", "yes",
)  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6)), min_size=1, max_size=5).map("".join)
LINE = TEXT.filter(lambda text: bool(" ".join(_carried(text).split())))
SLUG = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=6)), min_size=1, max_size=3
).map("".join)
SLUGS = st.lists(
    SLUG.map(lambda s: nfc(s.replace("/", "")) or "x").filter(lambda s: not segment_fault(s) and not s.startswith((".", "_", "index"))),
    min_size=4, max_size=6, unique_by=collision_key,
)  # fmt: skip
SETTINGS = """[site]
url = "https://example.com"
title = {title}
description = {description}
[collections.c]
source = "content"
route = "/c/[slug]"
[feed]
formats = ["rss", "atom", "json"]
[markdown]
highlight = false
"""


def _carried(text: str) -> str:
    """What of a text XML and one line can carry: no control characters, no unpaired or unassigned ends."""
    return "".join(
        c
        for c in text
        if c in "\t\n\r\u2028\u2029" or ((c.isprintable() or ord(c) > 0xA0) and c not in "\ufffe\uffff")
    )


def _same(one: str | None, other: str) -> bool:
    """Whether two texts say the same, white space and what no format can carry aside."""
    return _squeezed(one or "") == _squeezed(other)


def _squeezed(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and not c.isspace())


@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(slugs=SLUGS, texts=st.lists(st.tuples(LINE, LINE, LINE), min_size=7, max_size=7))
def test_text_stays_text(slugs: list[str], texts: list[tuple[str, str, str]]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        pages = {slug: texts[index + 1] for index, slug in enumerate(slugs)}
        run = _export(folder, texts[0], pages)
        assert run.code == 0, run.summary["diagnostics"]
        _check_html(run, pages)
        _check_variants(run, pages)
        _check_feeds(run, pages)
        _check_indexes(run, texts[0], pages)
    finally:
        shutil.rmtree(folder)


def _quoted(text: str) -> str:
    """A text as TOML and YAML both read it."""
    inner = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(inner)}"'


def _export(root: Path, site: tuple[str, str, str], pages: dict[str, tuple[str, str, str]]) -> Run:
    title, description, _ = map(_quoted, site)
    (root / "pybuild.toml").write_text(SETTINGS.format(title=title, description=description), "utf-8")
    (root / "content").mkdir()
    for day, (slug, texts) in enumerate(pages.items(), 1):
        title, description, tag = map(_quoted, texts)
        front = f"title: {title}\ndescription: {description}\ntags: [{tag}]\ndate: 2025-01-{day:02}"
        (root / f"content/{slug}.md").write_text(f"---\n{front}\n---\n\nBody.\n", "utf-8")
    return run_command(root, "export", str(root), "--engine", "serial", "--format", "json")


def _check_html(run: Run, pages: dict[str, tuple[str, str, str]]) -> None:
    for slug, (title, description, _) in pages.items():
        tree = LexborHTMLParser(run.text(f"c/{slug}.html"))
        assert _same(tree.css_first("h1").text(), title)
        assert _same(tree.css_first("title").text(), title)
        assert _same(tree.css_first("meta[name=description]").attrs["content"], description)
        assert _same(tree.css_first("meta[property='og:title']").attrs["content"], title)
        assert (
            unquote(tree.css_first("link[rel=canonical]").attrs["href"] or "")
            == f"https://example.com/c/{slug}"
        )
        ours = 'script[src^="/assets/pybuild/"], script[type="application/ld+json"]'
        assert [node.tag for node in tree.css(f":is(script, b, [onload], [onx]):not({ours})")] == []
        assert [
            node for node in tree.css("[href]") if (node.attrs["href"] or "").startswith("javascript:")
        ] == []


def _check_variants(run: Run, pages: dict[str, tuple[str, str, str]]) -> None:
    for slug, (title, description, _) in pages.items():
        _, block, body = run.text(f"c/{slug}.md").split("---\n", 2)
        front = yaml.safe_load(block)
        assert _same(front["title"], title) and _same(front["description"], description)
        assert body.count("\n# ") == 1 and body.endswith("\n\nBody.\n")


def _check_feeds(run: Run, pages: dict[str, tuple[str, str, str]]) -> None:
    newest_first = list(reversed(pages.items()))
    for file in ("rss.xml", "atom.xml"):
        ElementTree.fromstring((run.out / file).read_bytes())
        feed = feedparser.parse(
            (run.out / file).read_bytes(), sanitize_html=False, resolve_relative_uris=False
        )
        assert not feed.bozo and len(feed.entries) == len(pages)
    items = json.loads(run.text("feed.json"))["items"]
    titles = [
        e.text
        for e in ElementTree.fromstring((run.out / "rss.xml").read_bytes()).iterfind("channel/item/title")
    ]
    for item, text, (slug, (title, description, tag)) in zip(items, titles, newest_first, strict=True):
        assert unquote(item["url"]) == f"https://example.com/c/{slug}"
        assert _same(item["title"], title) and _same(text, title)
        assert _same(item["summary"], description) and all(
            _same(given, tag) for given in item.get("tags", ())
        )


def _check_indexes(run: Run, site: tuple[str, str, str], pages: dict[str, tuple[str, str, str]]) -> None:
    sitemap = ElementTree.fromstring((run.out / "sitemap.xml").read_bytes())
    assert {unquote(loc.text or "") for loc in sitemap.iterfind("{*}url/{*}loc")} == {
        "https://example.com/",
        "https://example.com/c",
        *(f"https://example.com/c/{s}" for s in pages),
    }
    parsed = parse_llms_file(run.text("llms.txt"))
    assert _same(parsed.title, site[0]) and _same(parsed.summary, site[1])
    links = {unquote(link.url): link for section in parsed.sections.values() for link in section}
    for slug, (title, description, _) in pages.items():
        link = links.pop(f"https://example.com/c/{slug}.md")
        assert _same(link.desc, description)
        shown = _squeezed(title.translate(str.maketrans("[]", "()"))).rstrip("\\")
        assert not shown or _squeezed(link.title).rstrip("\\") == shown
    assert links.keys() == {"https://example.com/c.md", "https://example.com/index.md"}  # the pages that list
    assert run.text("robots.txt") == "User-agent: *\nDisallow:\n\nSitemap: https://example.com/sitemap.xml\n"
