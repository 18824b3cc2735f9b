"""Outside truth: lxml and selectolax (lexbor) read the head back; titles follow Next's documented cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pybuild.config.loader import Config
from pybuild.config.schema import Feed, Options, Settings, Site
from pybuild.diagnostics import Location
from pybuild.metadata.head import Layer, Metadata, PageFacts, head_markup, resolve
from pybuild.site_files.selection import feed_links
from pybuild.site_files.xml_text import one_line

HREF = "https://acme.example/docs/a"
FACTS = PageFacts(HREF)
AT = Location("app/docs/page.py", 2)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


def config(**known: Any) -> Config:
    site = {"url": "https://acme.example", "title": "Acme", "description": "All", **known}
    return Config(
        Path("/site"), "pybuild.toml", Settings(site=Site(**site), feed=Feed(formats=("atom",))), Options()
    )


def page_of(values: dict[str, Any], facts: PageFacts = FACTS) -> Metadata:
    """Resolve one page's metadata, which must be sound."""
    made, findings = resolve([Layer(values, "page", 0, AT)], config(), facts)
    assert findings == ()
    return made


def elements(made: Metadata) -> list[tuple[str, dict[str, str | None], str]]:
    """The head as a browser reads it: (tag, attributes, text)."""
    tree = LexborHTMLParser(f"<!DOCTYPE html><html><head>\n{head_markup(made)}\n</head><body></body></html>")
    nodes = tree.css("head > *")
    assert len(tree.css("*")) == len(nodes) + 3
    return [(node.tag, dict(node.attributes), node.text()) for node in nodes]


def test_the_whole_head() -> None:
    layers = [
        Layer({"open_graph": {"images": ["/og.png"]}, "icons": "/favicon.ico"}, "settings"),
        Layer({"title": {"default": "Acme", "template": "%s · Acme"}, "authors": ["Jo"]}, "layout", 0),
        Layer(
            {
                "keywords": ["a", "b"],
                "robots": {"index": True, "follow": False, "google_bot": {"max_snippet": -1}},
                "open_graph": {"images": [{"url": "/og.png", "alt": "A & B", "width": 1200}], "tags": ["t"]},
                "twitter": {"creator": "@jo", "images": "/tw.png"},
                "icons": {"apple": {"url": "/apple.png", "sizes": "180x180"}},
                "alternates": {"languages": {"de": "/de/a"}, "types": {"application/json": "/a.json"}},
                "json_ld": {"@type": "TechArticle", "name": "</script><!--"},
                "theme_color": "#fff",
                "other": {"x-flag": 1},
            },
            "page",
            1,
        ),
        Layer({"title": 'Install "it"', "description": "How <to>.", "layout": "own key"}, "document", 1),
    ]
    facts = PageFacts(HREF, date="2024-01-02T00:00:00+00:00")
    made, findings = resolve(layers, config(), facts)
    assert findings == ()
    assert (
        head_markup(made, variant=HREF + ".md", feeds=feed_links(config()))
        == """\
<title>Install &#34;it&#34; · Acme</title>
<meta name="description" content="How &lt;to&gt;.">
<meta name="robots" content="index, nofollow">
<meta name="googlebot" content="max-snippet:-1">
<meta name="author" content="Jo">
<meta name="keywords" content="a, b">
<meta name="theme-color" content="#fff">
<meta name="x-flag" content="1">
<meta name="twitter:card" content="summary_large_image">
<meta name="twitter:creator" content="@jo">
<meta name="twitter:image" content="https://acme.example/tw.png">
<link rel="canonical" href="https://acme.example/docs/a">
<link rel="alternate" hreflang="de" href="https://acme.example/de/a">
<link rel="alternate" hreflang="en" href="https://acme.example/docs/a">
<link rel="alternate" type="text/markdown" href="https://acme.example/docs/a.md" title="Markdown">
<link rel="alternate" type="application/rss+xml" href="https://acme.example/rss.xml" title="Acme">
<link rel="alternate" type="application/atom+xml" href="https://acme.example/atom.xml" title="Acme">
<link rel="alternate" type="application/json" href="https://acme.example/a.json">
<link rel="icon" href="/favicon.ico">
<link rel="apple-touch-icon" href="/apple.png" sizes="180x180">
<meta property="og:type" content="article">
<meta property="og:title" content="Install &#34;it&#34; · Acme">
<meta property="og:description" content="How &lt;to&gt;.">
<meta property="og:url" content="https://acme.example/docs/a">
<meta property="og:site_name" content="Acme">
<meta property="og:image" content="https://acme.example/og.png">
<meta property="og:image:width" content="1200">
<meta property="og:image:alt" content="A &amp; B">
<meta property="article:published_time" content="2024-01-02T00:00:00+00:00">
<meta property="article:tag" content="t">
<script type="application/ld+json">{"@type": "TechArticle", "name": "\\u003c/script\\u003e\\u003c!--"}</script>"""
    )
    assert (made.name, made.indexed, made.images) == ('Install "it"', True, ("https://acme.example/og.png",))


def test_a_page_that_says_nothing_has_defaults() -> None:
    made, findings = resolve([], config(), PageFacts(HREF))
    assert findings == ()
    assert (
        head_markup(made)
        == """\
<title>Acme</title>
<meta name="description" content="All">
<meta name="twitter:card" content="summary">
<link rel="canonical" href="https://acme.example/docs/a">
<meta property="og:type" content="website">
<meta property="og:title" content="Acme">
<meta property="og:description" content="All">
<meta property="og:url" content="https://acme.example/docs/a">
<meta property="og:site_name" content="Acme">"""
    )


def test_a_page_without_an_address_has_no_canonical() -> None:
    head = head_markup(page_of({"title": "Not found", "canonical": "/x"}, PageFacts()))
    assert "canonical" not in head
    assert "og:url" not in head


ROOT = {"default": "Acme", "template": "%s | Acme"}


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ([(0, ROOT)], "Acme"),
        ([(0, ROOT), (0, "Home")], "Home"),  # the template is not for the folder that sets it
        ([(0, ROOT), (1, "About")], "About | Acme"),
        ([(0, ROOT), (1, {"absolute": "About"})], "About"),
        ([(0, ROOT), (1, "Docs"), (2, "A")], "A"),  # a plain title ends the template above it
        ([(0, ROOT), (1, {"default": "Docs", "template": "%s - Docs"}), (2, "A")], "A - Docs"),
        ([(0, ROOT), (1, {"default": "Docs", "template": "%s - Docs"})], "Docs | Acme"),
        ([(0, ROOT), (2, "A"), (2, "Front matter")], "Front matter | Acme"),
        ([(-1, {"template": "%s, %s"}), (0, "Home")], "Home, Home"),
        ([(0, {"template": "%s!"})], "Acme"),
    ],
)
def test_titles(titles: list[tuple[int, Any]], expected: str) -> None:
    layers = [Layer({"title": title}, "layout", depth) for depth, title in titles]
    made, findings = resolve(layers, config())
    assert (made.title, findings) == (expected, ())


@pytest.mark.parametrize(
    ("robots", "text", "indexed"),
    [
        ("NoIndex, follow", "NoIndex, follow", False),
        ("none", "none", False),
        ("max-snippet:0", "max-snippet:0", True),
        ({"index": False}, "noindex", False),
        (
            {"noarchive": True, "nosnippet": False, "max_image_preview": "large"},
            "noarchive, max-image-preview:large",
            True,
        ),
        ({"google_bot": {"index": False}}, "", True),
    ],
)
def test_robots(robots: Any, text: str, indexed: bool) -> None:
    made = page_of({"robots": robots})
    assert (dict(made.meta).get("robots", ""), made.indexed) == (text, indexed)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/a b", "https://acme.example/base/a%20b"),
        ("/a%20b?x=ü", "https://acme.example/base/a%20b?x=%C3%BC"),
        ("./og.png", "https://acme.example/base/docs/og.png"),
        ("?page=2", "https://acme.example/base/docs/a?page=2"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("http://b.example/é", "http://b.example/%C3%A9"),
    ],
)
def test_addresses_become_absolute(url: str, expected: str) -> None:
    site = config(url="https://acme.example/base")
    made, _ = resolve(
        [Layer({"canonical": url}, "page")], site, PageFacts("https://acme.example/base/docs/a")
    )
    assert made.canonical == expected


def test_an_inner_table_adds_to_the_outer_one_and_an_empty_list_takes_away() -> None:
    outer = Layer({"open_graph": {"images": "/a.png", "locale": "en_GB"}, "json_ld": {"n": 1}}, "layout", 0)
    inner = Layer({"open_graph": {"title": "T"}, "json_ld": [{"n": 2}]}, "page", 1)
    made, _ = resolve([outer, inner], config())
    assert (made.images, dict(made.properties)["og:title"]) == (("https://acme.example/a.png",), "T")
    assert made.json_ld == ('{"n": 1}', '{"n": 2}')
    assert resolve([outer, Layer({"open_graph": {"images": []}}, "page")], config())[0].images == ()


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ({"titel": "x"}, 'unknown key "titel" in "metadata"', 'did you mean "title"?'),
        ({"openGraph": {}}, 'unknown key "openGraph" in "metadata"', 'did you mean "open_graph"?'),
        ({"open_graph": {"image": "/a"}}, 'unknown key "image" in "open_graph"', 'did you mean "images"?'),
        ({"open_graph": "x"}, '"open_graph" must be a mapping, not text', "write a mapping"),
        ({"title": ["x"]}, '"title" must be text, not a list', "write text"),
        (
            {"title": {"template": "Acme"}},
            '"title.template" has no place for the title: "Acme"',
            'write "%s" in it, such as "%s · Acme"',
        ),
        (
            {"canonical": "javascript:alert(1)"},
            '"canonical" is not an address of the web: "javascript:alert(1)"',
            'write a path such as "/about", or an address that starts with https://',
        ),
        (
            {"robots": {"index": "no"}},
            '"robots.index" must be true or false, not text',
            'write false: "no" is text here',
        ),
        (
            {"twitter": {"card": "big"}},
            '"twitter.card" cannot be "big"',
            "write one of app, player, summary, summary_large_image",
        ),
        ({"json_ld": "x"}, '"json_ld" must be a mapping, not text', "write a mapping"),
        (
            {"json_ld": {"n": float("nan")}},
            '"json_ld" cannot be written as JSON: Out of range float values are not JSON compliant',
            "use text, numbers, lists and mappings",
        ),
        (
            {"alternates": {"languages": "de"}},
            '"alternates.languages" must be a mapping, not text',
            "write a mapping",
        ),
        ({"other": ["x"]}, '"other" must be a mapping, not a list', "write a mapping"),
        (
            {"open_graph": {"published_time": "soon"}},
            "\"open_graph.published_time\" is not a date: 'soon'",
            "write a date such as 2024-01-05",
        ),
    ],
)
def test_wrong_metadata_is_a_finding_at_its_place(values: dict[str, Any], message: str, hint: str) -> None:
    _, [found] = resolve([Layer(values, "page", 0, AT)], config(), PageFacts(HREF))
    assert (found.code, found.location, found.hint) == ("invalid-setting", AT, hint)
    assert found.message.removesuffix(": nan") == f"metadata: {message}"


def test_codes_follow_the_layer_and_a_document_has_keys_of_its_own() -> None:
    layers = [Layer({"title": [], "x": 1}, kind, 0) for kind in ("settings", "layout", "page", "document")]
    codes = [finding.code for finding in resolve(layers, config())[1]]
    assert sorted(codes) == ["config-error"] * 2 + ["front-matter-error"] + ["invalid-setting"] * 4


def test_a_document_may_use_other_keys_as_it_likes() -> None:
    values = {
        "category": {"a": 1},
        "other": "x",
        "manifest": 5,
        "authors": [{"name": "Jo", "url": "/jo", "avatar": "/jo.png"}, "Ann"],
    }
    made, findings = resolve([Layer(values, "document", 0, AT)], config(), FACTS)
    assert (made.authors, findings) == ((("Jo", "https://acme.example/jo"), ("Ann", "")), ())


def test_a_layout_cannot_set_one_canonical_for_all_pages() -> None:
    made, [found] = resolve([Layer({"canonical": "/x"}, "layout", 0, AT)], config(), PageFacts(HREF))
    assert made.canonical == HREF
    assert found.message == 'metadata: "canonical" above a page would make every page below a copy of one'


def test_none_is_no_value() -> None:
    layers = [Layer({"description": "D"}, "layout"), Layer({"description": None, "robots": None}, "page")]
    made, findings = resolve(layers, config())
    assert (made.description, findings) == ("D", ())


@settings(derandomize=True, max_examples=200)
@given(ANY_TEXT)
def test_any_text_in_any_field_reads_back_and_adds_no_element(text: str) -> None:
    values = {
        "title": {"absolute": text},
        "description": text,
        "keywords": [text],
        "authors": [text],
        "open_graph": {"site_name": text, "images": [{"url": "/i.png", "alt": text}]},
        "twitter": {"title": text},
        "icons": {"icon": {"url": "/i.png", "sizes": text}},
        "other": {text: text},
        "json_ld": {"name": text},
    }
    read = elements(page_of(values))
    line = one_line(text)
    assert read[0] == ("title", {}, line or "Acme")
    assert ("meta", {"name": "description", "content": line or "All"}, "") in read
    for known in (
        {"name": "keywords", "content": line},
        {"name": "author", "content": line},
        {"name": line, "content": line},
        {"property": "og:site_name", "content": line},
        {"property": "og:image:alt", "content": line},
        {"name": "twitter:title", "content": line},
    ):
        assert (("meta", known, "") in read) == bool(line)
    assert json.loads(read[-1][2]) == {"name": text}


@settings(derandomize=True, max_examples=200)
@given(
    st.recursive(
        ANY_TEXT | st.none() | st.booleans() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
        max_leaves=5,
    ),
    st.sampled_from(
        [
            "title",
            "robots",
            "open_graph",
            "twitter",
            "icons",
            "alternates",
            "json_ld",
            "authors",
            "other",
            "manifest",
        ]
    ),
)
def test_whatever_an_author_writes_is_read_or_told(value: Any, key: str) -> None:
    made, _ = resolve([Layer({key: value}, "page", 0, AT)], config(), PageFacts(HREF))
    elements(made)
