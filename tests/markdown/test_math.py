"""Formulas: where they are, what they become, and what stays text."""

from __future__ import annotations

import re

import pytest

from pybuild.config.schema import Markdown
from pybuild.markdown.engines import engine_of, python_engine
from pybuild.markdown.from_html import from_html
from pybuild.markdown.renderer import MarkdownRenderer, MarkdownResult

ENGINES = [
    MarkdownRenderer(Markdown(math=True), engine=engine) for engine in (engine_of("auto"), python_engine())
]
SQUARE = '<math alttext="x^2" xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'


def rendered(text: str) -> MarkdownResult:
    fast, exact = (engine.render(text, resolve=lambda href, _: href) for engine in ENGINES)
    assert fast == exact
    return fast


def test_within_a_line_and_of_its_own() -> None:
    assert rendered("If $x^2$.").html == f"<p>If {SQUARE}.</p>\n"
    display = SQUARE.replace("inline", "block")
    assert rendered("$$\nx^2\n$$\n").html == f"<p>{display}</p>\n"
    assert rendered("> $$\n> x^2\n> $$\n").html == f"<blockquote>\n<p>{display}</p>\n</blockquote>\n"


@pytest.mark.parametrize(
    "text",
    [
        "cost $5 and $6",
        "$ x$ and $x $",
        "a$x$",
        "$x$2",
        "\\$x$",
        "`$x$`",
        "```\n$x$\n```",
        "    $x$\n",
        "$x\n\ny$",
        "<!-- $x$ -->",
        "[a](https://a.example/$x$)",
        "$$",
    ],
)
def test_what_is_no_formula(text: str) -> None:
    assert rendered(text).html == MarkdownRenderer(Markdown()).render(text, resolve=lambda href, _: href).html


def test_off_unless_it_is_asked_for() -> None:
    assert MarkdownRenderer(Markdown()).render("$x$", resolve=lambda href, _: href).html == "<p>$x$</p>\n"


def test_marks_of_markdown_in_a_formula_are_none() -> None:
    assert rendered("$a_1 * b_2 * c_3$ and *d*").html.count("<em>") == 1
    assert rendered("$$\na \\\\\n- b\n$$").html.count("<li>") == 0


@pytest.mark.parametrize(
    "tex",
    [
        "\\text{<script>alert(1)</script>}",
        "\\href{javascript:alert(1)}{x}",
        "\\style{color:red}{x}",
        "\\class{a}{x}",
        "<img src=x onerror=alert(1)>",
        '\\text{" onclick="x}',
    ],
)
def test_no_markup_gets_through(tex: str) -> None:
    tags = re.findall(r"""<[^<>"']*(?:"[^"]*"[^<>"']*)*>""", rendered(f"a ${tex}$ b").html)
    bare = [re.sub(r'"[^"]*"', "", tag) for tag in tags]
    assert not [tag for tag in bare if re.search(r"<script|<img|\s(?:href|style|class|on\w+)\b", tag)]


def test_what_cannot_be_read_is_shown_and_noted() -> None:
    found = rendered("# T\n\nSee $x^$.\n")
    assert "<p>See <code>$x^$</code>.</p>" in found.html
    assert [(one.kind, one.name, one.line) for one in found.remarks] == [("math", "$x^$", 3)]


def test_headings_and_excerpts_say_the_formula() -> None:
    found = rendered("# About $x^2$\n\nIt is $y$.\n")
    assert (found.title, found.excerpt, found.anchors) == ("About x^2", "It is y.", ("about-x2",))


def test_a_variant_made_of_html_has_the_tex() -> None:
    html = rendered("If $x^2 * y$ then\n\n$$\nz\n$$\n").html
    assert from_html(html, base_url="https://a.example/", links={}) == "If $x^2 * y$ then\n\n$$z$$\n"
