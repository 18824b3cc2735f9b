"""Links and ids read out of finished pages."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from growth import assert_linear
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pybuild.config.schema import Markdown
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.render.documents import RenderedBody
from pybuild.render.page_html import Address, _read_tags, _read_tree, read_html
from pybuild.render.page_links import KnownText, hrefs_of, read_page


@pytest.mark.parametrize(
    "page, anchors",
    [
        ('<p id="a">', ("a",)),
        ("<p id='a'>", ("a",)),
        ("<p ID=a>", ("a",)),
        ('<p class="x" id = "a b">', ("a b",)),
        ('<a name="a">', ("a",)),
        ('<p id="&quot;&eacute;">', ('"é',)),
        ('<p id="">', ()),
        ('<p data-id="a">', ()),
    ],
)
def test_ids(page: str, anchors: tuple[str, ...]) -> None:
    assert read_html(page).ids == anchors


@pytest.mark.parametrize(
    "page, hrefs",
    [
        ('<a href="/a?b&amp;c">', ("/a?b&c",)),
        ("<A class=x HREF=/a>", ("/a",)),
        ('<a data-href="/no" href="/a">', ("/a",)),
        ("<a\n  title=\"x\"\n  href = '/a'>", ("/a",)),
        ('<img src="/a.png"><script src=/b.js></script><link href="/c.css">', ("/a.png", "/b.js", "/c.css")),
        ('<a href="">', ("",)),
        ("<a>", ()),
        ("<abbr href=/no>", ()),
        ('<a href="/a"><a href="/a">', ("/a",)),
    ],
)
def test_addresses(page: str, hrefs: tuple[str, ...]) -> None:
    assert hrefs_of(page) == hrefs


VALUE = st.text("ab/é#?&;=. ", max_size=8)
QUOTED = VALUE.map(lambda text: '"' + text.replace("&", "&amp;") + '"')


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["href", "title", "data-href", "id"]), QUOTED), max_size=4))
def test_what_a_parser_of_html_reads(attributes: list[tuple[str, str]]) -> None:
    page = "<a " + " ".join(f"{name}={value}" for name, value in dict(attributes).items()) + ">x</a>"
    node = LexborHTMLParser(page).css_first("a")
    assert node is not None
    expected = [node.attributes["href"] or ""] if "href" in node.attributes else []
    assert list(hrefs_of(page)) == expected
    assert list(read_html(page).ids) == [value for value in [node.attributes.get("id")] if value]


def test_a_page_of_broken_tags_is_read_in_linear_time() -> None:
    assert_linear(lambda size: hrefs_of("<a x" * size), 20_000)
    assert_linear(lambda size: read_html(" id " * size), 20_000)
    assert_linear(lambda size: read_html(f'<img srcset="a{" " * size}b, c{"," * size}">'), 2_000)


TAGS = (
    '<a href="/a?b&amp;c" hreflang="de">', "</a>", '<p id="x">', "</p>", '<li id="&quot;&lt;">', "<ul>", "</ul>", "text > text",
    '<img src="/i.png" alt="&amp;copy">', '<link rel="canonical" href="/c">', '<link rel="stylesheet" href=" /s.css">', "<br />",
    '<img srcset="/1 1x, /2 2x">', '<meta property="og:image" content="/o.png">', '<h1 id="a" id="b">', "</h1>", '<span lang="en">', "</span>", "<button>",
    '<script src="/s.js"></script>', '<script type="application/ld+json">{"a": "b > c"}</script>', "<title>a &amp; b</title>",
    "<head>", "</head>", '<body id="b">', "</body>", "<!DOCTYPE html>", '<html lang="en">', "</html>", '<input disabled>',
    '<a\nhref="/n">', "<title>a\nb</title>",
)  # fmt: skip
ODD_TAGS = (
    "<table>", '<tr id="r">', "<!-- ", "-->", '<a href="?a&copy=1">', "<template>", '<svg viewBox="0">', '<base href="/b/">',
    '<p style="background: url(/u)">', "<script>'<a href=\"x\">'</script>", "<", "<a href='/q'>", '<p id="a>b">', "<select>",
    '<A HREF="/A">', "<textarea>", "<title>", '<form action="/f">', "<p id=u>", "<style>",
)  # fmt: skip


def all_of(found: Iterable[tuple[tuple[str, ...], tuple[Address, ...]]]) -> tuple[list[str], list[Address]]:
    """The ids and the addresses of some elements, each once; a parser puts those of the body first, wherever it begins."""
    ids, addresses = dict[str, None](), dict[Address, None]()
    for said in found:
        ids.update(dict.fromkeys(said[0]))
        addresses.update(dict.fromkeys(said[1]))
    return sorted(ids), sorted(addresses)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from((*TAGS, *TAGS, *TAGS, *ODD_TAGS)), max_size=12), st.sampled_from(("", "\n")))
def test_tags_that_are_read_as_text(parts: list[str], between: str) -> None:
    page = between.join(parts)
    if (quick := _read_tags(page)) is not None:
        assert all_of(quick[0]) == all_of(_read_tree(page)[0])


def test_tags_of_templates_are_read_as_text() -> None:
    page = "".join(tag for tag in TAGS if tag != "<title>")
    assert _read_tags(page) is not None
    assert not any(_read_tags(tag) for tag in ODD_TAGS if tag != "-->")


def rendered(text: str) -> RenderedBody:
    result = MarkdownRenderer(Markdown(html=True)).render(text, resolve=lambda href, is_picture: href)
    return RenderedBody(text, text, result, {}, ())


TEXTS = (
    "# T\n\nSee [b](/b).\n\n## A {#own}\n\n## A\n",
    "## A\n\n> # T\n>\n> ## B\n",
    "| [a](/a) |\n|---|\n| b |\n",
    "# T\n",
    "",
    "## 100 %\n\n## B {#a%20b}\n",
    '# T\n\n<p id="raw">raw <a href="/raw">a</a>\n',
    "[^1]\n\n[^1]: ## A\n",
)
AROUND = (
    '<body id="a"><a id="b" href="/x">{}</a><p id="c">',
    '<table id="a"><tr><td>{}</td></tr></table><p id="b">',
    '<table id="a">{}<tr id="b"></tr></table>',
    '<textarea id="a">{}</textarea><p id="b">',
    '<select id="a">{}</select><p id="b">',
    '<!-- {} --><p id="b">',
    '<template id="a">{}</template><p id="b">',
    '<svg id="a">{}<image href="/x"/></svg>',
    '<base href="/x/"><p id="b">{}',
    '{}{}<p id="b">',
    '<p id="b">',
    '<p id="\ue000">{}<p id="b">',
)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("text", TEXTS)
def test_a_page_around_a_document(text: str, around: str) -> None:
    body = rendered(text)
    page = around.replace("{}", body.result.html)
    found, whole = read_page(page, KnownText.of(body)), read_html(page)
    assert found.ids == whole.ids
    of_text = {*hrefs_of(body.result.html), *("#" + ident for ident in body.result.anchors)}
    assert [one for one in whole.addresses if one.text not in of_text] == [
        one for one in found.addresses if one.text not in of_text
    ]
