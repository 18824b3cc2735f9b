"""Variants: code to the byte, text that survives, one H1, absolute links."""

from __future__ import annotations

from html import escape

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pybuild.config.schema import Markdown
from pybuild.markdown.from_html import compose, from_html, main_content
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.source.front_matter import parse

RENDERER = MarkdownRenderer(Markdown())
BASE = "https://a.example/docs/x"


def convert(html: str, **options: str) -> str:
    return from_html(html, base_url=BASE, links={}, **options)


def again(markdown: str) -> LexborHTMLParser:
    """The Markdown rendered, without the links beside headings."""
    tree = LexborHTMLParser(RENDERER.render(markdown, resolve=lambda href, *_: href).html)
    for node in tree.css(".anchor"):
        node.decompose()
    return tree


def test_compose() -> None:
    front = {
        "lang": "en",
        "title": 'A "b": c',
        "description": "",
        "url": BASE,
        "lastmod": "2026-11-01",
        "other": "x",
    }
    assert compose("# T\n\ntext\n\n", front=front, llms_url="https://a.example/llms.txt") == (
        '---\ntitle: "A \\"b\\": c"\nurl: "https://a.example/docs/x"\nlastmod: "2026-11-01"\nlang: "en"\n---\n\n'
        "> For the complete documentation index, see [llms.txt](https://a.example/llms.txt).\n\n# T\n\ntext\n"
    )
    assert compose("", front={}, llms_url="/llms.txt") == (
        "> For the complete documentation index, see [llms.txt](/llms.txt).\n"
    )


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.text(max_size=30))
def test_front_matter_is_yaml_whatever_the_title(title: str) -> None:
    title = title.encode("utf-8", "replace").decode()
    text = compose("body", front={"title": title}, llms_url="/llms.txt")
    found = parse(text.encode(), "a.md")
    assert (found.meta, found.findings) == ({"title": title} if title else {}, ())
    assert not title or yaml.safe_load(text.split("\n---\n")[0]) == {"title": title}


@pytest.mark.parametrize(
    ("html", "inner"),
    [
        ("<body><nav>n</nav><main><p>a</p></main></body>", "<p>a</p>"),
        ("<body><article>b</article><div role=main>a</div></body>", "a"),
        ("<body><article>b</article></body>", "b"),
        ("<title>t</title>c", "c"),
        ("", ""),
    ],
)
def test_main_content(html: str, inner: str) -> None:
    assert main_content(html) == inner


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a</p>", "# T\n\na\n"),
        ("<h1>A</h1><h1>B</h1><p>c</p>", "# A\n\n## B\n\nc\n"),
        ("<h2>A</h2>", "# T\n\n## A\n"),
    ],
)
def test_one_h1(html: str, expected: str) -> None:
    assert convert(html, title="T") == expected


def test_links_are_absolute_or_mapped() -> None:
    links = {"b": "https://a.example/docs/b.md", "https://a.example/c": "https://a.example/c.md"}
    html = '<p><a href="b">1</a> <a href="/c#d">2</a> <a href="e">3</a> <a href="#f">4</a> <img src="g.png" alt="5"></p>'
    assert from_html(html, base_url=BASE, links=links) == (
        "[1](https://a.example/docs/b.md) [2](https://a.example/c.md#d) [3](https://a.example/docs/e) "
        "[4](https://a.example/docs/x#f) ![5](https://a.example/docs/g.png)\n"
    )


@pytest.mark.parametrize("href", ["javascript:x()", " JavaScript:x()", "data:text/html,x", "vbscript:x"])
def test_an_address_that_runs_code_is_no_link(href: str) -> None:
    assert convert(f'<p><a href="{href}">a</a></p>') == "a\n"


def test_what_pybuild_renders_comes_back() -> None:
    source = (
        "# H1Span *x*\n\nText `c` **b** ~~s~~.[^1]\n\n## Sub\n\n- [ ] a\n- [x] b\n\n"
        "1. c\n\n   ```python\n   d = 1\n\n   e = 2\n   ```\n\n"
        "| a | b |\n| --- | --- |\n| 1 | `x\\|y` |\n\n> [!WARNING]\n>\n> **Mind this**\n>\n> text\n\n"
        "> quoted\n>\n> > deeper\n\n> [!NOTE]\n>\n> last\n\n**Term**: definition\n\n"
        "[^1]: Note\n\n    ```\n    code\n    ```\n"
    )
    written = source.replace(
        "> [!WARNING]\n>\n> **Mind this**\n>\n> text", '!!! warning "Mind this"\n    text'
    )
    written = written.replace("**Term**: definition", "Term\n: definition").replace(
        "> [!NOTE]\n>\n", "> [!NOTE]\n"
    )
    assert convert(RENDERER.render(written, resolve=lambda href, *_: href).html) == source


HOSTILE = [
    "*",
    "_",
    "`",
    "``",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "&",
    "&amp;",
    "&lt;",
    "#",
    "# ",
    "+ ",
    "- ",
    "1. ",
    "2) ",
    "!",
    "![",
]
HOSTILE += [
    "](x)",
    "|",
    "\\",
    "~~",
    "~~~",
    "```",
    "---",
    "===",
    "> ",
    "a",
    "b c",
    ":",
    ": ",
    "!!! note",
    "::: note",
    "[^1]",
    "[^1]:",
]
HOSTILE += [
    "{#id}",
    "[ ] ",
    "<b>",
    "<!--",
    "é",
    "$x$",
    "==",
    "[a]: b",
    "http://",
    "<http://a>",
    '"',
    "'",
    "\\*",
    "\u00a0",
    "\ue000",
]
fragments = st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=8).map("".join)


@pytest.mark.parametrize(
    ("before", "after", "query"),
    [("<p>", "</p>", "p"), ("<ul><li>", "</li></ul>", "li"), ("<h2>", "</h2>", "h2")],
)
@settings(derandomize=True, max_examples=150, deadline=None)
@given(text=fragments)
def test_hostile_text_survives(before: str, after: str, query: str, text: str) -> None:
    markdown = convert(f"{before}x{escape(text)}y{after}")
    node = again(markdown).css_first(query)
    assert node and "".join(node.text().split()) == "".join(f"x{text}y".split()), markdown


@settings(derandomize=True, max_examples=150, deadline=None)
@given(text=fragments)
def test_hostile_text_survives_at_the_start_of_a_block(text: str) -> None:
    markdown = convert(f"<p>{escape(text)}</p>")
    assert "".join(again(markdown).text().split()) == "".join(text.split()), markdown


@settings(derandomize=True, max_examples=150, deadline=None)
@given(text=fragments)
def test_hostile_text_survives_in_a_cell(text: str) -> None:
    html = (
        f"<table><thead><tr><th>h</th></tr></thead><tbody><tr><td>x{escape(text)}y</td></tr></tbody></table>"
    )
    node = again(convert(html)).css_first("td")
    assert node and "".join(node.text().split()) == "".join(f"x{text}y".split())


CODE = st.lists(
    st.sampled_from([*HOSTILE, "\n", "\n\n", "    ", "\t", "`````", "\n- ", "\n> "]), min_size=1, max_size=10
).map("".join)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("<ul><li><p>a</p>", "</li></ul>"),
        ("<blockquote>", "</blockquote>"),
        ("<ol><li>", "</li></ol>"),
    ],
)
@settings(derandomize=True, max_examples=100, deadline=None)
@given(code=CODE)
def test_code_survives_to_the_byte(before: str, after: str, code: str) -> None:
    assume(code.strip("\n"))
    code = code.rstrip("\n") + "\n"
    markdown = convert(f'{before}<pre><code class="language-js">{escape(code)}</code></pre>{after}')
    node = again(markdown).css_first("pre code.language-js")
    assert node and node.text() == code, markdown


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("<dl><dt>x</dt><dd>y", "</dd></dl>"),
        ("<blockquote>x<p>y</p>", "</blockquote>"),
        ("<ul><li>x<p>y</p>", "</li></ul>"),
        ('<div class="admonition note">x<p>y</p>', "</div>"),
        ("<blockquote>x<ol><li>y", "</li></ol></blockquote>"),
    ],
)
def test_what_is_deep_in_one_another_costs_no_more_than_its_text(start: str, end: str) -> None:
    text = convert(start * 300 + "z" + end * 300)
    assert [text.count(letter) for letter in "xyz"] == [300, 300, 1]
    assert len(text) < 150 * 300


def test_definitions_in_groups() -> None:
    text = convert(
        "<dl><div><dt>A</dt><dt>B</dt><dd>c</dd></div><dt>D</dt><dd>e<ul><li>f</li></ul></dd></dl>"
    )
    assert text == "**A, B**: c\n\n**D**:\n\ne\n\n- f\n"
