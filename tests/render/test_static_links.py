"""Addresses of style sheets and sitemaps, with their lines."""

from __future__ import annotations

import pytest

from pybuild.render.static_links import sitemap_addresses, style_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a { background: url(a.png) }\nb { src: URL( 'b.woff' ) }", [("a.png", 1), ("b.woff", 2)]),
        ('@import "a.css";\n\n@import url("b.css") print;', [("a.css", 1), ("b.css", 3)]),
        ("/* url(a.png)\n*/ a { background: url(b.png) }", [("b.png", 2)]),
        (r"a { background: url(a\ b.png), url('\63.png') }", [("a b.png", 1), ("c.png", 1)]),
        ("a { filter: url(#blur); background: url() }", []),
        ("/* never ends url(a.png)", []),
        ("a { background: url(" + "(" * 50_000, []),
    ],
)
def test_what_a_style_sheet_loads(text: str, addresses: list[tuple[str, int]]) -> None:
    assert list(style_addresses(text)) == addresses


def test_what_a_sitemap_names_is_read_once_and_without_escapes() -> None:
    text = (
        "<url><loc>\n https://a.example/?a=1&amp;b </loc></url>\n"
        '<url><loc>https://a.example/c</loc><xhtml:link rel="alternate" hreflang="de" href="https://a.example/d"/></url>\n'
        "<url><loc>https://a.example/c</loc></url><loc></loc>"
    )
    assert list(sitemap_addresses(text)) == [
        ("https://a.example/?a=1&b", 1),
        ("https://a.example/c", 3),
        ("https://a.example/d", 3),
    ]
