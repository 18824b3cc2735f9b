"""A document's HTML as feeds carry it."""

from __future__ import annotations

import pytest

from pybuild.render.page_links import absolute_html

BASE = "https://example.com/blog/a"


@pytest.mark.parametrize(
    "html, expected",
    [
        ('<p><a href="b">b</a> <img src="/c.png" alt=""></p>',
         '<p><a href="https://example.com/blog/b">b</a> <img src="https://example.com/c.png" alt=""></p>'),
        ('<h1 id="t">T <a class="anchor" href="#t">#</a></h1>\n<p>x</p>', "<p>x</p>"),
        ('<p>x</p>\n<h1>T</h1>', "<p>x</p>\n<h1>T</h1>"),
        ('<h2 id="a">A <a class="anchor" href="#a">#</a></h2>', '<h2 id="a">A</h2>'),
        ('<p><a href="#a">up</a></p>', '<p><a href="https://example.com/blog/a#a">up</a></p>'),
        ('<p>x</p><script>alert(1)</script><style>p{}</style>', "<p>x</p>"),
        ('<pre tabindex="0"><code>a  b\n</code></pre>', "<pre><code>a  b\n</code></pre>"),
        ('<p><a href="mailto:a@b.example">m</a></p>', '<p><a href="mailto:a@b.example">m</a></p>'),
        ("", ""),
    ],
)  # fmt: skip
def test_absolute_html(html: str, expected: str) -> None:
    assert absolute_html(html, BASE) == expected
