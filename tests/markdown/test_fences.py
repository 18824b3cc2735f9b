"""What stands behind a fence: spellings that mean the same give the same HTML."""

from __future__ import annotations

import re
from html import unescape

import pytest

from pybuild.markdown.fences import code_block

CODE = "a\nb\nc\n"


def block(info: str, code: str = CODE) -> str:
    return code_block(code, info, is_highlighted=True)


@pytest.mark.parametrize(
    "infos",
    [
        ('text title="a.py"', "text title='a.py'", "text title=a.py", "text [a.py]"),
        ("text {1,3}", "text{1,3}", 'text hl_lines="1 3"', "text {1, 3}"),
        ("text {2-3}", 'text hl_lines="2-3"'),
        ("text ins={2}", 'text ins="2"'),
        ('text linenums="1"', "text showLineNumbers", "text:line-numbers", "{.text .numberLines}"),
        ('text linenums="5"', "text:line-numbers=5"),
    ],
)
def test_spellings_that_mean_the_same(infos: tuple[str, ...]) -> None:
    assert {block(info) for info in infos} == {block(infos[0])}
    assert block(infos[0]) != block("text")


def test_marks_numbers_and_a_title() -> None:
    assert block('text title="<a>" {1} del={2} linenums="9"') == (
        '<figure class="code-block">\n<figcaption>&lt;a&gt;</figcaption>\n'
        '<pre class="highlight" tabindex="0"><code class="language-text">'
        '<span class="line hl"><span class="lineno">9</span>a\n</span>'
        '<span class="line del"><span class="lineno">10</span>b\n</span>'
        '<span class="line"><span class="lineno">11</span>c\n</span></code></pre>\n</figure>'
    )


def test_a_span_over_several_lines_is_opened_again() -> None:
    html = block("python {2}", '"""a\nb\nc"""\n')
    assert html.count('<span class="s">') == 3 and html.count("<span") == html.count("</span>")
    assert unescape(re.sub("<[^>]*>", "", html)) == '"""a\nb\nc"""\n'


@pytest.mark.parametrize(
    "info", ["text {999999999}", "text {1-999999999}", "text {x}", "text hl_lines=", "{", "[", "=", "text {}"]
)
def test_nonsense_costs_nothing(info: str) -> None:
    assert unescape(re.sub("<[^>]*>", "", block(info))) == CODE
