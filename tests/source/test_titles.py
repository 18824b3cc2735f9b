"""Titles that documents have by their first heading: its text as a page shows it, and nothing of its markup."""

from __future__ import annotations

import pytest

from pybuild.source.document import first_heading

TITLES = {
    "# a <!-- c -->": "a",
    "# <a id=x></a>Title": "Title",
    "# Title <kbd>K</kbd> H<sub>2</sub>O": "Title K H2O",
    "# A &amp; B &lt;c&gt; &copy; < d": "A & B <c> © < d",
    "# Title[^1]": "Title",
    "# Title {#id}": "Title",
    "# Title {: #id .c }": "Title",
    "# `<code>` a_b *c_d* __e__": "<code> a_b c_d e",
    "# \\*a\\* \\<b\\>": "*a* <b>",
    "# [link](x 'y(z)') [![img](a)](b) [ref][r]": "link img ref",
    "# <https://a.example/b_c_d> ~~x~~": "https://a.example/b_c_d x",
    "# a<br>b": "a b",
    "# C# #": "C#",
    "# #\n\n# b": "",
    "<!--\n# no\n-->\n\n# real": "real",
    "```\n# no\n```\n\n# real": "real",
    "<pre>\n# no\n</pre>\n# real": "real",
    "<h1 align=center>raw <b>x</b></h1>\n\n# real": "raw x",
    "text\n\na *b*\n===": "a b",
    "<!-- never closed\n\n# shown": "shown",
    "no heading": "",
}


@pytest.mark.parametrize("body", TITLES)
def test_first_heading(body: str) -> None:
    assert first_heading(body) == TITLES[body]


@pytest.mark.parametrize(
    "unit", ["<!--\n", "```\n", "<pre>\n", "`", "[a", "\\`", "<a ", "# x" + " " * 500, "<h1>"]
)
def test_long_texts_take_no_time(unit: str) -> None:
    assert len(first_heading("# " + unit * 2000)) < 20_000
