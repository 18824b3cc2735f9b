"""Bare addresses: the examples of GFM §6.9, and time."""

from __future__ import annotations

import pytest
from growth import assert_linear

from pybuild.config.schema import Markdown
from pybuild.markdown.autolinks import trimmed
from pybuild.markdown.renderer import MarkdownRenderer

RENDERER = MarkdownRenderer(Markdown(html=True))


def render(text: str) -> str:
    return RENDERER.render(text, resolve=lambda href, _: href).html


def link(address: str, href: str = "") -> str:
    return f'<a href="{href or address}">{address}</a>'


GFM = [
    ("www.commonmark.org", link("www.commonmark.org", "http://www.commonmark.org")),
    ("Visit www.commonmark.org.", f"Visit {link('www.commonmark.org', 'http://www.commonmark.org')}."),
    (
        "Visit www.commonmark.org/a.b.",
        f"Visit {link('www.commonmark.org/a.b', 'http://www.commonmark.org/a.b')}.",
    ),
    (
        "(www.google.com/search?q=Markup+(business)))+ok",
        f"({link('www.google.com/search?q=Markup+(business)))+ok', 'http://www.google.com/search?q=Markup+(business)))+ok')}",
    ),
    (
        "(www.google.com/search?q=Markup+(business))",
        f"({link('www.google.com/search?q=Markup+(business)', 'http://www.google.com/search?q=Markup+(business)')})",
    ),
    ("http://commonmark.org", link("http://commonmark.org")),
    (
        "(Visit https://encrypted.google.com/search?q=Markup+(business))",
        f"(Visit {link('https://encrypted.google.com/search?q=Markup+(business)')})",
    ),
]
OURS = [
    ("https://a.example/b_c_d", link("https://a.example/b_c_d")),
    ("http://localhost:8000/x", link("http://localhost:8000/x")),
    ("**https://a.example/b**", f"<strong>{link('https://a.example/b')}</strong>"),
    ('"https://a.example/b"', f'"{link("https://a.example/b")}"'),
    ("https://a.example/?a=1&b=2", link("https://a.example/?a=1&amp;b=2")),
    ("https://a.example/<b>", f"{link('https://a.example/')}<b>"),
    ("https://münchen.example", link("https://münchen.example", "https://m%C3%BCnchen.example")),
    ("[https://a.example](/b)", '<a href="/b">https://a.example</a>'),
    ('<a href="/b">https://a.example</a>', '<a href="/b">https://a.example</a>'),
    ("`https://a.example`", "<code>https://a.example</code>"),
    ("<https://a.example>", link("https://a.example")),
    *[
        (text, text)
        for text in ("xhttp://a.example", "www.", "www.a", "http://", "ftp://a.example", "a@www.b.example")
    ],
]


@pytest.mark.parametrize(("text", "html"), GFM + OURS)
def test_links(text: str, html: str) -> None:
    assert render(text) == f"<p>{html}</p>\n"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("a).", "a"),
        ("a(b)", "a(b)"),
        ("a(b))", "a(b)"),
        ("a&amp;", "a"),
        ("a;", "a"),
        ("a&b;c", "a&b;c"),
        ("?!.,:*_~'\"", ""),
    ],
)
def test_what_ends_a_sentence_is_not_the_address(address: str, kept: str) -> None:
    assert trimmed(address) == kept


@pytest.mark.parametrize("piece", ["http://", "http://a", "www.", "www.a,", "http://a/(", "www._"])
@pytest.mark.parametrize("tail", ["", ")", ".", "&a;"])
def test_time_is_linear(piece: str, tail: str) -> None:
    assert_linear(lambda size: render(piece * size + tail * size), 1_000)
