"""Directives and tabs: spellings that mean the same give the same HTML, with both engines; variants read without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pybuild.config.schema import Markdown
from pybuild.markdown.directives import attributes_of
from pybuild.markdown.engines import engine_of, python_engine
from pybuild.markdown.renderer import MarkdownRenderer, MarkdownResult


@dataclass(frozen=True)
class Named:
    """Components that show their name and attributes."""

    names: tuple[str, ...] = ("tabs", "tab", "card", "details")

    def html(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        said = "".join(f' {key}="{value}"' for key, value in attributes.items() if value)
        return f"<{name}{said}>\n{body}\n</{name}>"

    def markdown(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        return f"**{attributes['title']}**\n\n{body}" if attributes["title"] else body


ENGINES = [MarkdownRenderer(Markdown(), engine=engine) for engine in (engine_of("auto"), python_engine())]


def rendered(text: str) -> MarkdownResult:
    fast, exact = (
        engine.render(text, resolve=lambda href, _: href, components=Named()) for engine in ENGINES
    )
    assert fast == exact
    return fast


HTML = """\
<tabs>
<tab title="npm">
<pre class="highlight" tabindex="0"><code class="language-sh">npm i x
</code></pre>
</tab>
<tab title="pnpm add">
<pre class="highlight" tabindex="0"><code class="language-sh">pnpm add x
</code></pre>
</tab>
</tabs>
"""
SOURCE = "**npm**\n\n```sh\nnpm i x\n```\n\n**pnpm add**\n\n```sh\npnpm add x\n```\n"
TITLES = "title=npm", 'title="pnpm add"'
FENCES = "```sh{}\nnpm i x\n```\n", "```sh{}\npnpm add x\n```\n"
SPELLINGS = {
    "Material": '=== "npm"\n\n    ```sh\n    npm i x\n    ```\n\n=== "pnpm add"\n\n    ```sh\n    pnpm add x\n    ```\n',
    "VitePress tabs": f":::tabs\n== npm\n{FENCES[0].format('')}== pnpm add\n{FENCES[1].format('')}:::\n",
    "VuePress tabs": f"::: tabs\n\n@tab npm\n\n{FENCES[0].format('')}\n@tab pnpm add\n\n{FENCES[1].format('')}\n:::\n",
    "code group": f"::: code-group\n\n{FENCES[0].format(' [npm]')}\n{FENCES[1].format(' [pnpm add]')}\n:::\n",
    "code group with titles": f"::: code-group\n{FENCES[0].format(chr(32) + TITLES[0])}\n{FENCES[1].format(chr(32) + TITLES[1])}:::\n",
    "fences in tabs": f"::: tabs\n{FENCES[0].format(' [npm]')}{FENCES[1].format(' [pnpm add]')}:::\n",
    "a directive each": f":::: tabs\n::: tab npm\n{FENCES[0].format('')}:::\n::: tab pnpm add\n{FENCES[1].format('')}:::\n::::\n",
    "PyMdown blocks": f"/// tab | npm\n{FENCES[0].format('')}///\n\n/// tab | pnpm add\n{FENCES[1].format('')}///\n",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_all_spellings_of_tabs_are_one(text: str) -> None:
    found = rendered(text)
    assert (found.html, found.source.rstrip() + "\n" if found.source else None) == (HTML, SOURCE)


def test_a_new_set_begins_where_it_says_so_and_behind_text() -> None:
    text = '=== "a"\n    x\n\n===! "b"\n    y\n\ntext\n\n=== "c"\n    z\n'
    assert rendered(text).html.count("<tabs>") == 3


@pytest.mark.parametrize(
    ("rest", "attributes"),
    [
        ("", {"title": ""}),
        (" Some title", {"title": "Some title"}),
        (' title="Some title"', {"title": "Some title"}),
        (' "Some title"', {"title": "Some title"}),
        ("[Some title]", {"title": "Some title"}),
        (' Words key="v" other=w', {"title": "Words", "key": "v", "other": "w"}),
        (" Words {open}", {"title": "Words", "open": "open"}),
        (' <a href="/a">b</a> c=d', {"title": '<a href="/a">b</a>', "c": "d"}),
        ('{key="v" .class #id}', {"title": "", "key": "v"}),
    ],
)
def test_attributes(rest: str, attributes: dict[str, str]) -> None:
    assert attributes_of(rest) == attributes


def test_a_component_has_the_html_of_its_body_and_longer_fences_nest() -> None:
    text = '::::: card Title key="a"\nText **b**\n\n:::: card inner\n::: note\nn\n:::\n::::\n:::::\n'
    inner = '<card title="inner">\n<aside class="admonition note" role="note">\n<p class="admonition-title">Note</p>\n<p>n</p>\n</aside>\n</card>'
    assert (
        rendered(text).html
        == f'<card title="Title" key="a">\n<p>Text <strong>b</strong></p>\n{inner}\n</card>\n'
    )


def test_a_variant_keeps_what_is_around_and_within() -> None:
    text = '# T\n\n- item\n\n  ::: card X\n  in *it*\n  :::\n\n> === "Q"\n>     quoted\n\n!!! note\n    as `it` is\n'
    assert (
        rendered(text).source
        == "# T\n\n- item\n\n  **X**\n\n  in *it*\n\n> **Q**\n>\n> quoted\n\n!!! note\n    as `it` is\n"
    )


def test_a_text_without_directives_has_no_other_source() -> None:
    assert rendered("::: tip\na\n:::\n").source is None


@pytest.mark.parametrize(
    "text", ["```\n::: card\n```\n", '    === "a"\n', "Title\n===\n", "::: module.name\n", ":::", "== a\n"]
)
def test_what_is_no_directive(text: str) -> None:
    assert "<card" not in rendered(text).html
    assert "<tab" not in rendered(text).html


def test_an_unknown_name_is_noted_with_its_line_and_its_body_shown() -> None:
    found = rendered("a\n\n::: cart\nbody\n:::\n")
    assert [(one.name, one.line) for one in found.unknown] == [("cart", 3)]
    assert found.html == "<p>a</p>\n<p>body</p>\n"


def test_escapes_in_a_title_are_read() -> None:
    assert '<tab title="a [b]">' in rendered('=== "a \\[b]"\n    x\n').html


def test_raw_html_of_a_body_stays_within() -> None:
    assert rendered("::: card\n<b>x\n:::\n\nafter\n").html.endswith("</card>\n<p>after</p>\n")
