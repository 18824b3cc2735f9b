"""Rendering: what becomes of each construct, and what a caller learns of a text."""

from __future__ import annotations

import random
import re
import sys
import threading
from collections.abc import Callable
from typing import Literal

import pytest
from growth import assert_linear
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_pages import markdown_pages
from selectolax.lexbor import LexborHTMLParser

from pybuild.config.schema import Markdown
from pybuild.markdown.finish import Heading
from pybuild.markdown.remarks import Remark
from pybuild.markdown.renderer import MarkdownRenderer, MarkdownResult

RENDERER = MarkdownRenderer(Markdown())
PYTHON = MarkdownRenderer(Markdown(engine="markdown-it-py"))
RAW = MarkdownRenderer(Markdown(html=True))
SHOWN = MarkdownRenderer(Markdown(html=False))


def unchanged(href: str, is_picture: bool) -> str:
    return href


def render(text: str) -> MarkdownResult:
    return RENDERER.render(text, resolve=unchanged)


def anchor(ident: str, text: str) -> str:
    return f' <a class="anchor" href="#{ident}" aria-label="Permalink: {text}"></a>'


PRE = '<pre class="highlight" tabindex="0">'
CASES = {
    "strikethrough": ("~~a~~ ~b~ H~2~O", "<p><del>a</del> <del>b</del> H~2~O</p>\n"),
    "raw HTML": ("<b onclick=x>a</b><script>x</script>", "<p><b>a</b></p>\n"),
    "a comment": ("a <!-- b --> c\n<!--\nd\n\n[e](f)\n-->\ng", "<p>a  c</p>\n<p>g</p>\n"),
    "a comment that is never closed": (
        "a\n\n<!-- b\n\n*c*",
        "<p>a</p>\n<p>&lt;!-- b</p>\n<p><em>c</em></p>\n",
    ),
    "an element without end": ("a <plaintext>b\n\nc", "<p>a b</p>\n<p>c</p>\n"),
    "a comment in raw code": ("<pre>\n<!-- a -->\nb\n</pre>", "<pre>\nb\n</pre>\n"),
    "a comment over paragraphs": ("a <!-- b\n\nc --> d", "<p>a &lt;!-- b</p>\n<p>c --&gt; d</p>\n"),
    "a heading in a definition": (
        "A\n: # B\n\n# C",
        f'<dl>\n<dt>A</dt>\n<dd><h2 id="b">B{anchor("b", "B")}</h2>\n</dd>\n</dl>\n<h1 id="c">C{anchor("c", "C")}</h1>\n',
    ),
    "a comment in code": ("`<!-- a -->`", "<p><code>&lt;!-- a --&gt;</code></p>\n"),
    "definitions below a comment": ("[a]\n\n<!-- b -->\n[a]: /c", '<p><a href="/c">a</a></p>\n'),
    "terms": (
        "A\nB\n: D\n\n: E\n\n    F",
        "<dl>\n<dt>A</dt>\n<dt>B</dt>\n<dd>D</dd>\n<dd>E\n<p>F</p>\n</dd>\n</dl>\n",
    ),
    "definitions": ("T\n: D", "<dl>\n<dt>T</dt>\n<dd>D</dd>\n</dl>\n"),
    "indented code": ("    <a>", f"{PRE}<code>&lt;a&gt;\n</code></pre>\n"),
    "fence": ("```\na\n```", f"{PRE}<code>a\n</code></pre>\n"),
    "fence in JavaScript": (
        "```js{1,3}\nlet a\n```",
        f'{PRE}<code class="language-js"><span class="line hl"><span class="k">let</span> a\n</span></code></pre>\n',
    ),
    "fence with a title": (
        '``` python title="x.py"\nif\n```',
        f'<figure class="code-block">\n<figcaption>x.py</figcaption>\n{PRE}<code class="language-python">'
        '<span class="k">if</span>\n</code></pre>\n</figure>\n',
    ),
    "fence with attributes": (
        "```{.python .numberLines}\nif\n```",
        f'{PRE}<code class="language-python"><span class="line"><span class="lineno">1</span>'
        '<span class="k">if</span>\n</span></code></pre>\n',
    ),
    "fence in no language": (
        "```<x>\n<\n```",
        f'{PRE}<code class="language-&lt;x&gt;">&lt;\n</code></pre>\n',
    ),
    "table": (
        "|a|b|\n|-|-:|\n|1|2|",
        '<div class="table-wrap" tabindex="0">\n<table><thead><tr><th>a</th><th class="align-right">b</th></tr></thead><tbody>\n'
        '<tr><td>1</td><td class="align-right">2</td></tr>\n</tbody></table>\n</div>\n',
    ),
    "heading of nothing": (
        "||b||\n|-|-|:-:|\n|1|2|3|",
        '<div class="table-wrap" tabindex="0">\n<table><thead><tr><td></td><th>b</th><td class="align-center"></td></tr></thead><tbody>\n'
        '<tr><td>1</td><td>2</td><td class="align-center">3</td></tr>\n</tbody></table>\n</div>\n',
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
    "heading with attributes": ("## A {: #b .wide }", f'<h2 id="b">A{anchor("b", "A")}</h2>\n'),
    "heading with an id of letters": ("## A {#概要}", f'<h2 id="概要">A{anchor("概要", "A")}</h2>\n'),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("renderer", [RENDERER, PYTHON])
def test_html(name: str, renderer: MarkdownRenderer) -> None:
    text, html = CASES[name]
    assert renderer.render(text, resolve=unchanged).html == html


def test_headings_become_a_tree_below_the_title() -> None:
    found = render("# T\n## A\n#### C `d` ![e](f)\n### B\n## A\n")
    assert found.toc == (
        Heading("a", "A", 2, (Heading("b", "B", 3),)),
        Heading("a-1", "A", 2),
    )
    assert found.anchors == ("t", "a", "c-d-e", "b", "a-1")
    assert (found.title, found.h1s) == ("T", (True,))


def test_a_custom_id_is_kept_though_an_earlier_slug_is_equal() -> None:
    assert render("# X\n## Y {#x}\n## Z {#x}\n").anchors == ("x", "x-1", "x-2")


def test_a_heading_in_a_footnote_has_an_id_of_its_own_and_is_no_title() -> None:
    found = render("# T\n\na[^n]\n\n[^n]: # Hello\n\n    # T\n\n[^unused]: # T\n")
    assert re.findall(r'<(h\d) id="([^"]*)"', found.html) == [("h1", "t"), ("h2", "hello"), ("h2", "t-1")]
    assert (found.title, found.toc, found.h1s) == ("T", (), (True,))
    assert {"t", "hello", "t-1"} <= set(found.anchors)


def test_an_id_of_raw_html_in_a_footnote_is_not_given_to_a_heading() -> None:
    found = RAW.render('## U\n\na[^n]\n\n[^n]: <a id="u"></a> N\n', resolve=unchanged)
    assert re.findall(r'id="([^"]*)"', found.html) == ["u-1", "fnref1", "fn1", "u"]


def test_an_id_of_a_footnote_or_of_raw_html_is_not_given_again() -> None:
    text = '# fn1\n\na[^1] <i id="b">\n\n# b\n\n<a name=c></a>\n\n[^1]: N\n'
    assert RAW.render(text, resolve=unchanged).anchors == ("b", "c", "fn1-1", "b-1", "fn1", "fnref1")


@pytest.mark.parametrize(
    ("text", "title", "h1s"),
    [
        ("", None, ()),
        ("## a", None, ()),
        ("text\n\n# B *c*\n# D", "B c", (True, False)),
        ("B\n=\n", "B", (True,)),
        ("> # A\n\n# B\n", "B", (False, True)),
        ("> # A\n", None, (False,)),
        ("<!-- a -->\n\n# B\n", "B", (True,)),
    ],
)
def test_the_title(text: str, title: str | None, h1s: tuple[bool, ...]) -> None:
    found = render(text)
    assert (found.title, found.h1s) == (title, h1s)
    assert found.html.count("<h1") == sum(h1s)


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
        ("<!-- x -->\n\na <!-- b --> c\n\nd", "a c"),
        ("a\n\nb\n\n<!-- more -->\n\nc", "a b"),
        ("a <!-- truncate --> b", "a"),
    ],
)
def test_the_excerpt(text: str, excerpt: str) -> None:
    found = render(text).excerpt
    assert found == excerpt and len(found) <= 200


def test_every_address_goes_through_resolve() -> None:
    text = (
        "# [a](A.md)\n\nb\n![c](C.png) <https://d.example>\n\n| [e](E&amp;F) |\n|-|\n| https://g.example |\n\n> [h][H]\n\n"
        '<img src="i.png" srcset="j.png 1x, k.png 2x"> <video poster=\'l.png\'></video>\n\n[H]: <I J>\n'
    )
    asked: list[tuple[str, bool]] = []
    found = RENDERER.render(text, resolve=lambda *q: asked.append(q) or f"/{len(asked)}")
    assert found.links == tuple(asked) == (
        ("A.md", False), ("C.png", True), ("https://d.example", False), ("E&F", False), ("https://g.example", False),
        ("I%20J", False), ("i.png", True), ("j.png", True), ("k.png", True), ("l.png", True),
    )  # fmt: skip
    assert re.findall(r"(/\d+)\b", found.html.replace("</", "")) == [f"/{i}" for i in range(1, 11)]


@pytest.mark.parametrize("engine", ["pyromark", "markdown-it-py"])
def test_an_escape_in_an_address_is_what_it_stands_for(engine: Literal["pyromark", "markdown-it-py"]) -> None:
    text = r"[a](a\\b) [b](#v1\.2) ![c](<c\#d\!.png>) [d][D] [e](%EE%80%81x)" + "\n\n[D]: e\\[f\\]\\:g\n"
    found = MarkdownRenderer(Markdown(engine=engine)).render(text, resolve=lambda href, _: href)
    assert [href for href, _ in found.links] == ["a%5Cb", "#v1.2", "c#d!.png", "e%5Bf%5D:g", "%EE%80%81x"]
    assert "%EE%80%80" not in found.html and "\ue000" not in found.html


def test_what_resolve_returns_is_escaped() -> None:
    found = RENDERER.render("[a](b)", resolve=lambda *q: '"><script>')
    assert found.html == '<p><a href="&quot;&gt;&lt;script&gt;">a</a></p>\n'


@pytest.mark.parametrize(
    "scheme",
    [
        "javascript:x",
        "JaVaScRiPt:x",
        "vbscript:x",
        "file:///etc",
        "data:text/html,x",
        "data:image/svg+xml,x",
        "ms-officecmd:x",
        "jar:x",
    ],
)
@pytest.mark.parametrize(
    "form", ["[a]({})", "[a](<{}>)", "![a]({})", "<{}>", "[a][b]\n\n[b]: {}", "[a](&#32;{})"]
)
@pytest.mark.parametrize("renderer", [RENDERER, RAW, PYTHON])
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


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("x]: <img src=x>", "<p>x]: &lt;img src=x&gt;</p>\n"),
        ("x](<img src=x>", "<p>x](&lt;img src=x&gt;</p>\n"),
        ("x](<<b>", "<p>x](&lt;&lt;b&gt;</p>\n"),
        ("[x](<a b>)", '<p><a href="a%20b">x</a></p>\n'),
        ("[x]\n\n[x]: <a b>", '<p><a href="a%20b">x</a></p>\n'),
        ("`](<b>`", "<p><code>](&lt;b&gt;</code></p>\n"),
    ],
)
def test_what_looks_like_a_destination_is_no_tag(text: str, html: str) -> None:
    assert SHOWN.render(text, resolve=unchanged).html == html


@pytest.mark.parametrize("engine", ["pyromark", "markdown-it-py"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [  # a line that a comment begins is passed on as it is, what looks like an address too
        ("<!--> <x:y/onfocus=alert(1)/autofocus>", "&lt;x:y/onfocus=alert(1)/autofocus>"),
        ("<!-- a --> <x@y.z>", "&lt;x@y.z>"),
        ("> <!-- a\n\nb --> c", "&lt;!-- a"),  # the quotation ends before its comment does
        ("- <!-- a\n\nb\n\n<!-- c -->\n\nd", "&lt;!-- a"),
    ],
)
def test_comments_bring_no_markup_and_swallow_none(engine: str, text: str, shown: str) -> None:
    found = MarkdownRenderer(Markdown(html=False, engine=engine)).render(text, resolve=unchanged).html
    assert shown in found
    assert "<!--" not in found


def test_a_comment_that_is_whole_is_dropped_in_containers_too() -> None:
    for renderer in (RAW, SHOWN):
        for text in (
            "> <!-- a\n>\n>   b -->\n> c",
            "- <!-- a\n\n    b -->\n\n  c",
            "c\n\n<!--->\n",
            "<!-- > > a -->\nc",
        ):
            found = renderer.render(text, resolve=unchanged).html
            assert re.sub(r"<[^>]*>", "", found).strip() == "c"


@pytest.mark.parametrize("engine", ["pyromark", "markdown-it-py"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<div>\n<!-- a\n\n[b](b.md) -->\n\n**c**\n</div>", "<div>\n<p><strong>c</strong></p>\n</div>"),
        ("<div><!-- a\n\nb\n\n--> c</div>\n\nd", "<div> c</div>\n<p>d</p>"),
        ("- <div><!-- a\n\n  b --> c</div>", "<ul>\n<li><div> c</div>"),
        ("<div>\n\n    <div><!-- a\n\n    b -->\n</div>", "&lt;!-- a\n\nb --&gt;"),  # code
        ("<div><!-- a\n\nb", "<div>&lt;!-- a\n<p>b</p>"),
    ],
)
def test_a_comment_in_raw_html_may_have_paragraphs(engine: str, text: str, shown: str) -> None:
    html = MarkdownRenderer(Markdown(engine=engine)).render(text, resolve=unchanged).html
    assert re.sub(r"\n+", "\n", shown) in re.sub(r"\n+", "\n", html)
    assert "<!--" not in html


OURS = frozenset(
    """html head body a aside blockquote br code dd del details summary div dl dt em h1 h2 h3 h4 h5 h6 hr img input label li
    ol p pre s section span strong sub sup table tbody td th thead tr ul math mrow mi mo mn msup msub mtext semantics
    annotation mstyle mspace""".split()  # noqa: SIM905
)
PIECES = (
    "[x]", "]: ", "](", "<img src=x onerror=y>", "<script>", "</script>", "<!--", "-->", "<?x ?>", "<![CDATA[ x ]]>", "<", ">",
    "\n", "\n\n", "    ", "- [ ] ", "- ", "> ", "[^a]", "[^a]: ", "`", "```\n", "::: note\n", ":::\n", '=== "T"\n', "$", ": ",
    "\\", "&lt;", "<a:b/onload=1>", "<x@y.z>", "# ", "| a | <i> |\n|---|---|\n", "<div>", "<svg/onload=1>", "::: details <b>\n",
    '!!! note "<b>"\n    ', "{#id onclick=x}", "※", "<style>", "</p>", "![",
)  # fmt: skip


@pytest.mark.parametrize("engine", ["pyromark", "markdown-it-py"])
def test_no_text_becomes_a_tag_where_raw_html_is_text(engine: str) -> None:
    """Every tag is one that Markdown and our blocks write, without a handler; no sign of ours and no comment is left."""
    renderer = MarkdownRenderer(Markdown(html=False, engine=engine, math=True))
    chance = random.Random(7)
    for _ in range(1500):
        text = "".join(chance.choices(PIECES, k=chance.randint(2, 12)))
        found = renderer.render(text, resolve=unchanged).html
        nodes = [node for node in LexborHTMLParser(found).root.traverse() if node.tag]
        assert {node.tag for node in nodes if node.tag[0] != "-"} <= OURS, text
        assert not [name for node in nodes for name in node.attributes if name.startswith("on")], text
        assert "<!--" not in found and not re.search("[\ue000-\uf8ff]", found), text


def test_a_note_that_begins_with_a_tag_ends_where_it_ends() -> None:
    found = SHOWN.render("a[^1]\n\n[^1]: <script> b\n\n**c**\n", resolve=unchanged).html
    assert "&lt;script&gt; b" in found
    assert "<strong>c</strong>" in found


@pytest.mark.parametrize(
    ("text", "html"),
    [  # to an engine both are one paragraph: a task's text begins it
        ("- [ ] > a\n  > : b\n", "<p>: b</p>"),
        ("- [ ] - a\n  : b\n", "- a\n: b"),
    ],
)
def test_a_block_the_engine_does_not_see_stays_text(text: str, html: str) -> None:
    for renderer in (RAW, SHOWN):
        found = renderer.render(text, resolve=unchanged).html
        assert html in found
        assert "<d" not in found
        assert "<!--" not in found


def test_raw_html_is_text_where_the_site_says_so() -> None:
    found = SHOWN.render("<b>a</b> <!-- c --> `<i>` <https://a.example>\n\n<div>\n*x*\n", resolve=unchanged)
    assert found.html == (
        "<p>&lt;b&gt;a&lt;/b&gt;  <code>&lt;i&gt;</code> "
        '<a href="https://a.example">https://a.example</a></p>\n<p>&lt;div&gt;\n<em>x</em></p>\n'
    )
    assert found.has_hidden_tags
    assert not SHOWN.render("`<b>` <!-- c -->", resolve=unchanged).has_hidden_tags


def test_ids_of_the_look_are_dropped() -> None:
    found = render('<i id="pb-search">a</i> <a name="pb-x"></a>')
    assert (found.html, found.anchors) == ("<p><i>a</i> <a></a></p>\n", ())


def test_a_name_is_an_anchor_of_links_alone() -> None:
    text = '<a name=b></a> <i name="q"></i> <i class=x id=c>\n\n# q\n\n<div\nid="d">\n</div>\n'
    assert RAW.render(text, resolve=unchanged).anchors == ("b", "c", "d", "q")


def test_the_link_beside_a_heading_can_be_named() -> None:
    german = MarkdownRenderer(Markdown()).render(
        "# A", resolve=unchanged, words=lambda name: {"permalink": "Link zu"}[name]
    )
    assert german.html == '<h1 id="a">A <a class="anchor" href="#a" aria-label="Link zu: A"></a></h1>\n'


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
    "- del label "
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


@pytest.mark.parametrize("text", markdown_pages(12, 5).values())
def test_both_engines_make_the_same_page(text: str) -> None:
    assert RENDERER.render(text, resolve=unchanged) == PYTHON.render(text, resolve=unchanged)


NOTE = '<sup class="footnote-ref"><a href="#fn1" id="fnref1{}">[1]</a></sup>'


@pytest.mark.parametrize("renderer", [RENDERER, PYTHON])
@pytest.mark.parametrize(
    ("mark", "label"),
    [("My Note", "my  note"), ("ẞ", "SS"), ("a\nb", "A B"), ("a&amp;b", "a&b"), (" a ", "a"), ("1.2", "1.2")],
)
def test_labels_of_footnotes_compare_as_those_of_links(
    renderer: MarkdownRenderer, mark: str, label: str
) -> None:
    found = renderer.render(f"x[^{mark}] y[^{label}]\n\n[^{label}]: z\n", resolve=unchanged)
    assert found.html.startswith(f"<p>x{NOTE.format('')} y{NOTE.format(':1')}</p>\n")
    assert found.remarks == ()


@pytest.mark.parametrize("renderer", [RENDERER, PYTHON])
@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("a[^b]\n", [Remark("undefined-note", "[^b]", 1)]),
        ("`[^b]`\n\n~~~\n[^b]\n~~~\n\n    [^b]\n\n\\[^b]\n", []),
        ("`[^b]`\n\n> - a [^B]\n", [Remark("undefined-note", "[^b]", 3)]),
        ("the class [^a-z0-9] of [^/]\n", []),
        ("a[^b]\n\n[^B]: c\n\n[^b]: d\n", [Remark("second-note", "[^b]", 5)]),
        ("a\n\n> [^b]: c\n", [Remark("unused-note", "[^b]", 3)]),
    ],
)
def test_footnotes_that_lead_nowhere(renderer: MarkdownRenderer, text: str, remarks: list[Remark]) -> None:
    assert list(renderer.render(text, resolve=unchanged).remarks) == remarks


@pytest.mark.parametrize("renderer", [RENDERER, PYTHON])
@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("<Tabs items={['a']}>\n\nx\n\n</Tabs>\n", [Remark("jsx", "<Tabs>", 1)]),
        ("`<A.Card />`\n\nx <A.Card />\n", [Remark("jsx", "<A.Card>", 3)]),
        ('import X from "./x"\n', [Remark("jsx", 'import X from "./x"', 1)]),
        ("export const a = 1\n", [Remark("jsx", "export const a = 1", 1)]),
        ('a\n\n{{< figure src="a.png" >}}\n', [Remark("shortcode", '{{< figure src="a.png" >}}', 3)]),
        ("{{% note %}}\n", [Remark("shortcode", "{{% note %}}", 1)]),
        ("{% include x.html %}\n", [Remark("liquid", "{% include x.html %}", 1)]),
        ('--8<-- "a.md"\n', [Remark("snippet", '--8<-- "a.md"', 1)]),
        ("<<< @/a.js\n", [Remark("snippet", "<<< @/a.js", 1)]),
        ("[[toc]]\n", [Remark("contents", "[[toc]]", 1)]),
        ("`{{< a >}}` `{% b %}` `--8<-- c`\n\n~~~\n<Tabs />\n{{% d %}}\n--8<-- e\n~~~\n", []),
        ("    {% b %}\n    <Tabs />\n\nimport what you need\n\n100 {% of %\n\n\\{% raw %}\n", []),
        ("<!-- {% b %} <Tabs /> -->\n", []),
        ("[a](javascript:b) ![c](ms-x:d)\n", [Remark("address", "javascript:…", 1), Remark("address", "ms-x:…", 1)]),
        ("a Vec<T>\n", [Remark("element", "<T>", 1)]),
        ("a\n\n<iframe src=b></iframe> <b style='c'>\n", [Remark("element", "<iframe>", 3), Remark("attribute", "style=", 3)]),
        ("`<font>` <script>if (a < b) c</script>\n", [Remark("element", "<script>", 1)]),
        ('<details open class="a"><summary id=b>c</summary></details>\n\n| a |\n|:-:|\n', []),
    ],
)  # fmt: skip
def test_what_is_written_and_not_shown(renderer: MarkdownRenderer, text: str, remarks: list[Remark]) -> None:
    assert list(renderer.render(text, resolve=unchanged).remarks) == remarks


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
    "many footnotes": lambda n: "".join(f"a[^{i}]\n\n[^{i}]: b [^{i + 1}]\n\n" for i in range(n // 4)),
    "lost footnotes": lambda n: "".join(f"a[^x{i}] [^c]\n\n[^y]: b\n\n" for i in range(n // 4)),
    "syntax of others": lambda n: "<Tabs {{< {% x " * n,
    "raw elements": lambda n: "<font style=x onclick=y>" * n,
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


@pytest.mark.parametrize("piece", ["`", "~", "~~~ a ", "<div>\n\n", "<div><!-- "])
def test_time_is_linear(piece: str) -> None:
    assert_linear(lambda size: PYTHON.render(piece * size, resolve=unchanged), 500)
