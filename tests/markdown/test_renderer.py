"""Rendering: what becomes of each construct, and what a caller learns of a text."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from pybuild.config.loader import Markdown
from pybuild.markdown.renderer import FoundLink, Heading, MarkdownRenderer, MarkdownResult

RENDERER = MarkdownRenderer(Markdown())
RAW = MarkdownRenderer(Markdown(html=True))


def unchanged(href: str, line: int, is_image: bool) -> str:
    return href


def render(text: str) -> MarkdownResult:
    return RENDERER.render(text, resolve=unchanged)


def anchor(ident: str, text: str) -> str:
    return f' <a class="anchor" href="#{ident}" aria-label="Permalink: {text}">#</a>'


PRE = '<pre class="highlight" tabindex="0">'
CASES = {
    "strikethrough": ("~~a~~ ~b~", "<p><s>a</s> ~b~</p>\n"),
    "raw HTML is text": ("<b onclick=x>a</b>", "<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>\n"),
    "definitions": ("T\n: D", "<dl>\n<dt>T</dt>\n<dd>D</dd>\n</dl>\n"),
    "indented code": ("    <a>", f"{PRE}<code>&lt;a&gt;\n</code></pre>\n"),
    "fence": ("```\na\n```", f"{PRE}<code>a\n</code></pre>\n"),
    "fence in JavaScript": (
        "```js{1,3}\nlet a\n```",
        f'{PRE}<code class="language-js"><span class="k">let</span> a\n</code></pre>\n',
    ),
    "fence with a title": (
        '``` python title="x.py"\nif\n```',
        f'{PRE}<code class="language-python"><span class="k">if</span>\n</code></pre>\n',
    ),
    "fence with attributes": (
        "```{.python .numberLines}\nif\n```",
        f'{PRE}<code class="language-python"><span class="k">if</span>\n</code></pre>\n',
    ),
    "fence in no language": (
        "```<x>\n<\n```",
        f'{PRE}<code class="language-&lt;x&gt;">&lt;\n</code></pre>\n',
    ),
    "table": (
        "|a|b|\n|-|-:|\n|1|2|",
        '<div class="table-wrap" tabindex="0">\n<table>\n<thead>\n<tr>\n<th>a</th>\n<th style="text-align:right">b</th>\n'
        '</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td style="text-align:right">2</td>\n</tr>\n</tbody>\n'
        "</table>\n</div>\n",
    ),
    "tasks": (
        "- [ ] a\n- [x] *b*\n- c",
        '<ul class="contains-task-list">\n'
        '<li class="task-list-item"><label><input type="checkbox" disabled> a</label></li>\n'
        '<li class="task-list-item"><label><input type="checkbox" disabled checked> <em>b</em></label></li>\n'
        "<li>c</li>\n</ul>\n",
    ),
    "footnotes": (
        "a[^x] b[^x]\n\n[^x]: N",
        '<p>a<sup class="footnote-ref"><a href="#fn1" id="fnref1">[1]</a></sup> '
        'b<sup class="footnote-ref"><a href="#fn1" id="fnref1:1">[1]</a></sup></p>\n'
        '<section class="footnotes" role="doc-endnotes">\n<ol>\n<li id="fn1" class="footnote-item"><p>N '
        '<a href="#fnref1" class="footnote-backref">\u21a9\ufe0e</a> '
        '<a href="#fnref1:1" class="footnote-backref">\u21a9\ufe0e</a></p>\n</li>\n</ol>\n</section>\n',
    ),
    "heading": ("## A *b*", f'<h2 id="a-b">A <em>b</em>{anchor("a-b", "A b")}</h2>\n'),
    "heading with an id": ("## A {#my-id}", f'<h2 id="my-id">A{anchor("my-id", "A")}</h2>\n'),
    "heading with an escaped id": (r"## A {\#b}", f'<h2 id="a-b">A {{#b}}{anchor("a-b", "A {#b}")}</h2>\n'),
    "heading with other attributes": (
        "## A {.x onclick=y}",
        f'<h2 id="a-x-onclicky">A {{.x onclick=y}}{anchor("a-x-onclicky", "A {.x onclick=y}")}</h2>\n',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_html(name: str) -> None:
    text, html = CASES[name]
    assert render(text).html == html


def test_headings_become_a_tree_below_the_title() -> None:
    found = render("# T\n## A\n#### C `d` ![e](f)\n### B\n## A\n")
    assert found.toc == (
        Heading("a", "A", 2, (Heading("b", "B", 3),)),
        Heading("a-1", "A", 2),
    )
    assert found.anchors == ("t", "a", "c-d-e", "b", "a-1")
    assert (found.title, found.has_h1) == ("T", True)


def test_a_custom_id_is_kept_though_an_earlier_slug_is_equal() -> None:
    assert render("# X\n## Y {#x}\n## Z {#x}\n").anchors == ("x", "x-1", "x-2")


def test_an_id_of_a_footnote_or_of_raw_html_is_not_given_again() -> None:
    text = '# fn1\n\na[^1] <i id="b">\n\n# b\n\n<a name=c></a>\n\n[^1]: N\n'
    assert RAW.render(text, resolve=unchanged).anchors == ("b", "c", "fn1", "fnref1", "fn1-1", "b-1")


@pytest.mark.parametrize(
    ("text", "title", "has_h1"),
    [("", None, False), ("## a", None, False), ("text\n\n# B *c*\n# D", "B c", False), ("B\n=\n", "B", True)],
)
def test_the_title(text: str, title: str | None, has_h1: bool) -> None:
    found = render(text)
    assert (found.title, found.has_h1) == (title, has_h1)


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        (
            "# T\n\n> quoted\n\n- item\n\nThe *first* [link](x)\nand `code`.[^1]\n\nnext\n\n[^1]: n",
            "The first link and code.",
        ),
        ("![](x)\n\ntext", "text"),
        ("word " * 60, "word " * 39 + "word…"),
        ("x" * 300, "x" * 199 + "…"),
        ("# only\n", ""),
    ],
)
def test_the_excerpt(text: str, excerpt: str) -> None:
    found = render(text).excerpt
    assert found == excerpt and len(found) <= 200


def test_every_destination_goes_through_resolve_with_its_line() -> None:
    text = (
        "# [a](A.md)\n\nb\n![c](C.png) <https://d.example>\n\n"
        "| [e](E&amp;F) |\n|-|\n| https://g.example |\n\n> [h][H]\n\n[H]: <I J>\n"
    )
    asked: list[tuple[str, int, bool]] = []
    found = RENDERER.render(text, resolve=lambda *q: asked.append(q) or f"/{len(asked)}", line_offset=10)
    assert asked == [
        ("A.md", 11, False),
        ("C.png", 14, True),
        ("https://d.example", 14, False),
        ("E&F", 16, False),
        ("https://g.example", 18, False),
        ("I%20J", 20, False),
    ]
    assert found.links == tuple(FoundLink(href, line) for href, line, _ in asked)
    assert re.findall(r'(?:href|src)="(/\d)"', found.html) == ["/1", "/2", "/3", "/4", "/5", "/6"]


def test_what_resolve_returns_is_escaped() -> None:
    assert (
        RENDERER.render("[a](b)", resolve=lambda *q: '"><script>').html
        == '<p><a href="&quot;&gt;&lt;script&gt;">a</a></p>\n'
    )


@pytest.mark.parametrize(
    "scheme",
    ["javascript:x", "JaVaScRiPt:x", "vbscript:x", "file:///etc", "data:text/html,x", "data:image/svg+xml,x"],
)
@pytest.mark.parametrize(
    "form", ["[a]({})", "[a](<{}>)", "![a]({})", "<{}>", "[a][b]\n\n[b]: {}", "[a](&#32;{})"]
)
@pytest.mark.parametrize("renderer", [RENDERER, RAW])
def test_schemes_that_run_code_never_become_links(form: str, scheme: str, renderer: MarkdownRenderer) -> None:
    found = renderer.render(form.format(scheme), resolve=unchanged)
    hrefs = [
        node.attrs.get("href") or node.attrs.get("src") for node in LexborHTMLParser(found.html).css("a, img")
    ]
    assert not [href for href in hrefs if href and href.lower().startswith(scheme.split(":")[0].lower())]


def test_an_image_may_be_inline_data() -> None:
    assert (
        render("![a](data:image/png;base64,AA)").html
        == '<p><img src="data:image/png;base64,AA" alt="a"></p>\n'
    )


def test_raw_html_passes_where_the_site_says_so() -> None:
    assert RAW.render("<b>a</b>", resolve=unchanged).html == "<p><b>a</b></p>\n"


def test_a_name_is_an_anchor_of_links_alone() -> None:
    text = '<a name=b></a> <input name="q"> <i class=x id=c>\n\n# q\n\n<div\nid="d">\n</div>\n'
    assert RAW.render(text, resolve=unchanged).anchors == ("b", "c", "d", "q")


def test_the_link_beside_a_heading_can_be_named() -> None:
    german = MarkdownRenderer(Markdown(), permalink="Link zu").render("# A", resolve=unchanged)
    assert german.html == '<h1 id="a">A <a class="anchor" href="#a" aria-label="Link zu: A">#</a></h1>\n'


def test_highlighting_can_be_switched_off() -> None:
    plain = MarkdownRenderer(Markdown(highlight=False)).render("```js\nlet\n```", resolve=unchanged)
    assert plain.html == f'{PRE}<code class="language-js">let\n</code></pre>\n'


def test_line_ends_do_not_matter() -> None:
    text = "# A\n\n- b\n\n```js\nc\n```\n[d](e)\n"
    assert render(text.replace("\n", "\r\n")) == render(text.replace("\n", "\r")) == render(text)


def test_one_text_does_not_reach_the_next() -> None:
    alone = render("[a] b[^1]\n\n# c")
    render("[a]: /x\n\n[^1]: n\n\nb[^1]\n\n# c")
    assert render("[a] b[^1]\n\n# c") == alone


def pieces(characters: str, *others: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*characters, *others]), max_size=40).map("".join)


MARKS = pieces(
    "ab1 \n\t#*_~`[]()<>!|:-+=\\&;.\"'{}^@/?$", "\n\n", "    ", "> ", "- ", "```", "[^1]", "]: ", "!!! note"
)
TAGS = (
    "html head body a aside blockquote br code dd div dl dt em h1 h2 h3 h4 h5 h6 hr img input label li ol p pre s "
    "section span strong sup table tbody td th thead tr ul"
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(MARKS)
def test_no_tag_or_attribute_comes_from_the_text(text: str) -> None:
    known = TAGS.split()
    for node in LexborHTMLParser(render(text).html).root.traverse():
        assert node.tag in known
        assert not [name for name in node.attributes if name.startswith("on")]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(MARKS)
def test_ids_are_unique_and_reported(text: str) -> None:
    found = render(text)
    ids = [node.id for node in LexborHTMLParser(found.html).css("[id]")]
    assert sorted(ids) == sorted(found.anchors)


PLAIN = MarkdownIt("commonmark", {"html": False})


@settings(derandomize=True, max_examples=200, deadline=None)
@given(pieces("ab \n*_`()<>!-+.\\&;\"'", "\n\n", "> ", "- ", "1. "))
def test_where_no_extension_is_used_it_is_common_mark(text: str) -> None:
    """The library's own preset passes CommonMark's cases; ours must give the same, but for `pre`."""
    expected = PLAIN.render(text).replace("<pre>", PRE).replace("<br />", "<br>").replace("<hr />", "<hr>")
    assert unquoted(render(text).html) == unquoted(expected)


def unquoted(html: str) -> str:
    """A quotation mark need not be escaped in text."""
    return html.replace("&quot;", '"')


PATHOLOGIES: dict[str, Callable[[int], str]] = {
    "quotations": lambda n: ">" * n,
    "brackets": lambda n: "[" * n,
    "links in links": lambda n: "[" * n + "a" + "](b)" * n,
    "images in images": lambda n: "![" * n + "a" + "](b)" * n,
    "open links": lambda n: "[a](" * n,
    "emphasis": lambda n: "a**b" * n,
    "stars": lambda n: "*a _b " * n,
    "code spans": lambda n: "".join("`" * (i % 50 + 1) + "a" for i in range(n)),
    "entities": lambda n: "&" * n,
    "addresses": lambda n: "http://" * n,
    "footnotes": lambda n: "[^a]\n\n[^a]: x\n\n" + "[^" * n,
    "footnote marks": lambda n: "[^a]" * n + "\n\n[^a]: x",
    "definitions": lambda n: "a\n: b\n" * n,
    "tables": lambda n: "|a" * n + "\n" + "|-" * n,
    "admonitions": lambda n: "::: note\n" * n,
    "spaces in a heading": lambda n: "# a" + " " * min(n, 4000) + "b",
    "ids": lambda n: "# a {#x}\n" * n,
    "nested lists": lambda n: "\n".join("  " * (i % 60) + "- a" for i in range(n)),
    "fences": lambda n: "```js\na\n" * n,
}


@pytest.mark.parametrize("name", PATHOLOGIES)
def test_work_is_near_linear(name: str) -> None:
    """Four times the text is less than ten times the calls; a square would be sixteen times."""
    calls = [_calls(PATHOLOGIES[name](size)) for size in (500, 2_000)]
    assert calls[1] < 10 * max(calls[0], 2_000)


def _calls(text: str) -> int:
    """How many functions, of Python and of C, are called to render a text."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        render(text)
    finally:
        sys.setprofile(before)
    return count


def test_depth_does_not_exhaust_a_small_stack() -> None:
    failed: list[BaseException] = []

    def deep(frames: int) -> None:
        if frames:
            deep(frames - 1)
            return
        for name in ("quotations", "brackets", "links in links", "images in images", "nested lists"):
            try:
                render(PATHOLOGIES[name](2000))
            except RecursionError as fault:
                failed.append(fault)

    thread = threading.Thread(target=deep, args=(300,))
    thread.start()
    thread.join()
    assert not failed
