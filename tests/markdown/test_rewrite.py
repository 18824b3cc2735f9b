"""Edits of source: only destinations, comments and second H1s change, and rendering agrees."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

import pytest
from growth import assert_linear
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.config.schema import Markdown
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.markdown.rewrite import destination, escape, lines_of, rewritten
from pybuild.source.front_matter import parse

RENDERER = MarkdownRenderer(Markdown(html=True, highlight=False))
NEW = "/n?a=(1)&b=2#c"


def render(text: str, links: dict[str, str] | None = None) -> str:
    return RENDERER.render(text, resolve=lambda href, _: (links or {}).get(href, href)).html


def rewrite(source: str, links: dict[str, str], title: str = "") -> str:
    """As a page does it."""
    page = RENDERER.render(source, resolve=lambda href, _: href)
    return rewritten(source, links=links, found=[href for href, _ in page.links], h1s=page.h1s, title=title)


CASES = [
    ("[a](b)", "[a](<N>)"),
    ("[a](b 'c')", "[a](<N> 'c')"),
    ('[a]( <b>  "c" )', '[a]( <N>  "c" )'),
    ("![a](b)", "![a](<N>)"),
    ("[![a](b)](b)", "[![a](<N>)](<N>)"),
    ("![a [b](b)](b)", "![a [b](<N>)](<N>)"),
    (
        "[a][b] [b] [a]\n\n[b]: b 'c'\n\n[a]:\n  <b>\n  'd'",
        "[a][b] [b] [a]\n\n[b]: <N> 'c'\n\n[a]:\n  <N>\n  'd'",
    ),
    ("[b]: b\n[b]: b", "[b]: <N>\n[b]: <N>"),
    ("> - [a\n>   c](b)\n> - [b]\n>\n> [b]: b", "> - [a\n>   c](<N>)\n> - [b]\n>\n> [b]: <N>"),
    ("\t- x\n\n- a\n\n\t[a](b)", "\t- x\n\n- a\n\n\t[a](<N>)"),
    ("# [a](b) #\n[a](b)\n---", "# [a](<N>) #\n[a](<N>)\n---"),
    ("b [b](b) b", "b [b](<N>) b"),
    (
        "| b | [b](b) |\n|-|-|\n| `[b](b)` | [\\|](b) ![b](b) |",
        "| b | [b](<N>) |\n|-|-|\n| `[b](b)` | [\\|](<N>) ![b](<N>) |",
    ),
    ("- [ ] [a](b)\n- [x] ![a](b)", "- [ ] [a](<N>)\n- [x] ![a](<N>)"),
    ("[^1]\n\n[^1]: [a](b)\n\n    [a](b)", "[^1]\n\n[^1]: [a](<N>)\n\n    [a](<N>)"),
    ("- [ ]    \n[a](b)", "- [ ]    \n[a](<N>)"),
    ("T [a](b)\n: [a](b)", "T [a](<N>)\n: [a](<N>)"),
    ('!!! note "x [a](b)"\n    [a](b)', '!!! note "x [a](<N>)"\n    [a](<N>)'),
    ("::: note [a](b)\n[a](b)\n:::", "::: note [a](<N>)\n[a](<N>)\n:::"),
    ("> [!NOTE]\n> [a](b)", "> [!NOTE]\n> [a](<N>)"),
    ("[a](b) é\u00a0[a](b)\u2028[a](b)", "[a](<N>) é\u00a0[a](<N>)\u2028[a](<N>)"),
]
UNTOUCHED = [
    "```\n[a](b)\n```",
    "    [a](b)",
    "`[a](b)` `` [b]: b ``",
    "\\[a](b)",
    "[a](b c)",
    "[a]\\(b)",
    "- ~~~\n  [b]: b\n  ~~~",
    "[a](B) [a](b#c) <b> b",
    "```\n[b]: b",
    "!<https://b.example> [c]<https://b.example>",
]


@pytest.mark.parametrize(("source", "expected"), [*CASES, *((text, text) for text in UNTOUCHED)])
def test_only_destinations_change(source: str, expected: str) -> None:
    found = rewrite(source, {"b": NEW, "https://b.example": "/"})
    assert found == expected.replace("<N>", NEW)
    assert render(found) == render(source, {"b": NEW})


def test_an_empty_destination_is_one_too() -> None:
    assert rewrite("[a]() [a](<>)", {"": "/x"}) == "[a](/x) [a](/x)"


def test_destinations_are_looked_up_as_the_renderer_reports_them() -> None:
    links = {"a%20b": "/1", "c&d": "/2", "e(f)": "/3", "%C3%A9": "/4", "g*h": "/5"}
    source = "[x](<a b>) [x](c&amp;d) [x](e(f)) [x](é) [x](g\\*h)"
    assert rewrite(source, links) == "[x](/1) [x](/2) [x](/3) [x](/4) [x](/5)"


def test_an_autolink_keeps_its_text() -> None:
    old, new = "https://a.example/b_c*d", "https://a.example/b_c*d.md"
    found = rewrite(f"- <{old}>", {old: new})
    assert found == f"- [https://a.example/b\\_c\\*d]({new})"
    assert render(found) == render(f"- <{old}>", {old: new})


def test_raw_html_has_links_too() -> None:
    source = '<div>\n<img src="b" srcset="b 1x, c 2x">\n</div>\n\n<a href=\'b\'>[a](b)</a> `<a href="b">`'
    assert rewrite(source, {"b": "c"}) == (
        '<div>\n<img src="c" srcset="c 1x, c 2x">\n</div>\n\n<a href="c">[a](c)</a> `<a href="b">`'
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a <!-- b --> c", "a  c"),
        ("a\n\n<!-- b\n\nc [d](e) -->\n\nf", "a\n\n\nf"),
        ("a\n<!-- b -->\nc", "a\n\nc"),
        ("a <!-- b\n\nc --> d", "a <!-- b\n\nc --> d"),
        ("- <!-- b\n\n  c --> d", "-  d"),
        ("`<!-- b -->`\n\n```\n<!-- b -->\n```", "`<!-- b -->`\n\n```\n<!-- b -->\n```"),
        ("<!-- b -->\n[1]: /x\n\n[1]", "[1]: /x\n\n[1]"),
        ("<!-- open", "<!-- open"),
        (
            "<div><!-- a\n\n[b](c) --> d\n\n    <div><!-- e\n\n    f -->",
            "<div> d\n\n    <div><!-- e\n\n    f -->",
        ),
        ("```\n<div><!-- a\n\nb -->\n```\n<div><!-- c", "```\n<div><!-- a\n\nb -->\n```\n<div><!-- c"),
        ("a\n\n    <!-- b -->\n\nc", "a\n\n    <!-- b -->\n\nc"),
        ("a\n\n    b\n    <!-- c --> d", "a\n\n    b\n    <!-- c --> d"),
        ("a\n    <!-- b -->\nc", "a\n\nc"),
        ("- a\n\n    <!-- b -->\n\n    c", "- a\n\n\n    c"),
        ("1. a\n\n   b\n\n    <!-- c -->\n\n   d", "1. a\n\n   b\n\n\n   d"),
    ],
)
def test_comments_go(source: str, expected: str) -> None:
    assert rewrite(source, {}) == expected


def test_the_lines_of_an_address() -> None:
    source = "[a](b c)\n\n[a](b)\n`[a](b)`\n![a](b) <a href='b'>\n\n[r]: b\n"
    assert [line for line, _ in lines_of(source, "b")] == [3, 5, 7]


@pytest.mark.parametrize(
    ("href", "written"),
    [
        ("/a", "/a"),
        ("", "<>"),
        ("a b", "a%20b"),
        ("a(b", "a\\(b"),
        ("a(b)c", "a(b)c"),
        ("a((b))", "a\\(\\(b\\)\\)"),
    ]
    + [("a<b>", "a%3Cb%3E"), ("a|b\\c\n", "a%7Cb%5Cc%0A"), ("a\u00a0b", "a%C2%A0b")]
    + [("a&b=1", "a&b=1"), ("a&lt;", "a&amp;lt;"), ("a&#x41;", "a&amp;#x41;")],
)
def test_destinations(href: str, written: str) -> None:
    assert destination(href) == written


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.text("ab/.?#=&;%20()[]*_`!\"'", max_size=20))
def test_a_destination_is_read_as_written(href: str) -> None:
    (found,) = RENDERER.render(f"[x]({destination(href)})", resolve=lambda href, _: href).links
    assert unquote(found[0]) == unquote(href)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text("ab1 .)*_`~[]()<>!|:-+=\\&#;\"'{}^@/", max_size=20).map(str.strip))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    if text and "://" not in text:
        found = RENDERER.render(f"# {escape(text)}", resolve=lambda href, _: href)
        assert found.title == " ".join(text.split()) and not found.links


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("text", "# T \\*x\\*\n\ntext"),
        ("", "# T \\*x\\*\n\n"),
        ("\n\n    code", "# T \\*x\\*\n\n    code"),
        ("# A\n## B", "# A\n## B"),
        ("text\n\n# A", "text\n\n# A"),
        ("# A\n\n# B #\n\nC\n=\n\nD\n====\n", "# A\n\n## B #\n\nC\n---\n\nD\n----\n"),
        ("# A\n\n> # B\n\n- # C\n  > D\n  > ==", "# A\n\n> ## B\n\n- ## C\n  > D\n  > ---"),
        ("> # A", "# T \\*x\\*\n\n> ## A"),
        ("# A\n\n```\n# B\n```\n\n    # C\n", "# A\n\n```\n# B\n```\n\n    # C\n"),
        ("#\n\n#", "#\n\n##"),
        ("# A\n>#", "# A\n>##"),
    ],
)
def test_one_h1(source: str, expected: str) -> None:
    found = rewrite(source, {}, "T *x*")
    assert found == expected
    assert render(found).count("<h1") == 1


def test_a_raw_h1_is_the_title() -> None:
    source = "<h1>A</h1>\n\ntext"
    assert rewrite(source, {}, "T") == source


@pytest.mark.skipif("PYBUILD_CORPUS" not in os.environ, reason="needs a folder of Markdown pages")
def test_pages_of_a_corpus() -> None:
    for file in sorted(Path(os.environ["PYBUILD_CORPUS"]).rglob("*.md"))[::5]:
        body = parse(file.read_bytes(), file.name).body
        page = RENDERER.render(body, resolve=lambda href, _: href)
        links = {href: f"/new/{i}" for i, (href, _) in enumerate(page.links) if "://" not in href}
        assert render(rewrite(body, links)) == render(body, links), file


@pytest.mark.parametrize("piece", ["](", "<!-- ", "<div><!-- a\n\n"])
def test_time_is_linear(piece: str) -> None:
    assert_linear(lambda size: rewrite(piece * size, {"x": "y"}), 1_000)
