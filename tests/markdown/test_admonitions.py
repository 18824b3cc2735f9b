"""Three ways to write an admonition, one element."""

from __future__ import annotations

import pytest

from pybuild.config.schema import Markdown
from pybuild.markdown.renderer import MarkdownRenderer

RENDERER = MarkdownRenderer(Markdown())


def render(text: str) -> str:
    return RENDERER.render(text, resolve=lambda href, is_picture: href).html


def aside(classes: str, title: str, body: str) -> str:
    return f'<aside class="admonition {classes}" role="note">\n<p class="admonition-title">{title}</p>\n{body}</aside>\n'


@pytest.mark.parametrize(
    ("text", "classes", "title"),
    [
        ("!!! note\n    text", "note", "Note"),
        ('!!! warning "Mind *this*"\n    text', "warning", "Mind <em>this</em>"),
        ("!!! custom\n    text", "note custom", "Custom"),
        ("??? tip\n    text", "tip", "Tip"),
        ("::: note\ntext\n:::", "note", "Note"),
        (":::warning Mind *this*\ntext\n:::", "warning", "Mind <em>this</em>"),
        ('::: danger "Zone"\ntext\n:::', "caution danger", "Zone"),
        ("> [!NOTE]\n> text", "note", "Note"),
        ("> [!CAUTION]\n> text", "caution", "Caution"),
        ("> [!tip] Mind *this*\n> text", "tip", "Mind <em>this</em>"),
        (":::tip[Title]\ntext\n:::", "tip", "Title"),
        ("/// note | Title\ntext\n///", "note", "Title"),
        ("/// warning\ntext\n///", "warning", "Warning"),
    ],
)
def test_forms(text: str, classes: str, title: str) -> None:
    assert render(text) == aside(classes, title, "<p>text</p>\n")


def test_an_empty_title_is_none() -> None:
    assert (
        render('!!! note ""\n    text')
        == '<aside class="admonition note" role="note">\n<p>text</p>\n</aside>\n'
    )


def test_they_nest_and_hold_blocks() -> None:
    inner = aside("tip", "Tip", "<ul>\n<li>a</li>\n</ul>\n")
    assert render(":::: note\n::: tip\n- a\n:::\n::::") == aside("note", "Note", inner)


@pytest.mark.parametrize("text", ["!!! Wow, really", "!!!", "!!!!! note", "??", ":::", ":: note"])
def test_prose_stays_prose(text: str) -> None:
    assert render(text) == f"<p>{text}</p>\n"


def test_an_unknown_alert_is_a_quotation() -> None:
    assert render("> [!FOO]\n> text") == "<blockquote>\n<p>[!FOO]\ntext</p>\n</blockquote>\n"


def test_a_class_is_a_word() -> None:
    assert '"><' not in render('!!! note" onclick="x\n    a')
    assert "onclick" not in render('::: note" onclick="x\n:::').split(">")[0]
