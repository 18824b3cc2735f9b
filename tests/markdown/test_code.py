"""Highlighting: the code stays what it is, and the colours can be read."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.markdown.code import BACKGROUNDS, DARK, LIGHT, highlight, stylesheet


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_python() -> None:
    assert highlight("def f(): return 'a' # b\n", "python") == (
        '<span class="k">def</span> <span class="nf">f</span>(): <span class="k">return</span> '
        '<span class="s">\'a\'</span> <span class="c"># b</span>\n'
    )


@pytest.mark.parametrize("language", ["", "text", "TXT", "no-such-language", "output", "../etc", "<b>"])
def test_what_has_no_language_is_escaped(language: str) -> None:
    assert highlight("<a & 'b'>\n", language) == "&lt;a &amp; 'b'&gt;\n"


@pytest.mark.parametrize(
    "language", ["python", "js", "html", "bash", "yaml", "json", "rust", "console", "diff", "Python"]
)
@settings(derandomize=True, max_examples=25, deadline=None)
@given(code=st.text("ab<>&\"'`$#{}()[]/*\\ \n\t=:;-\r\ufeff\u2028é", max_size=60))
def test_no_character_is_lost(language: str, code: str) -> None:
    assert text_of(highlight(code, language)) == code


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("palette", "ground"), [(LIGHT, BACKGROUNDS["light"]), (DARK, BACKGROUNDS["dark"])])
def test_contrast_is_aa(palette: dict[str, str], ground: str) -> None:
    for name, colour in palette.items():
        high, low = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_the_stylesheet_is_small_and_names_every_class() -> None:
    sheet = stylesheet()
    assert len(sheet) < 1600
    assert LIGHT.keys() == DARK.keys()
    assert sheet.count("@media (prefers-color-scheme:dark)") == 1
    assert all(sheet.count(f".highlight .{name}") == 2 for name in LIGHT if name and name != "gh")


def test_front_matter_of_markdown_is_yaml() -> None:
    front, text = "---\ntitle: A\n---\n", "\n# B\n\n---\n"
    assert highlight(front + text, "markdown") == highlight(front, "yaml") + highlight(text, "markdown")
    assert highlight("---\n# A\n", "md") == highlight("---\n# A\n", "markdown")  # a line, and no front matter
