"""What other tools write: dropped, or kept so that a reader of Markdown understands it."""

from __future__ import annotations

import pytest

from pybuild.markdown.from_html import from_html

CASES = {
    "what is no content": (
        "<p>a<svg><title>x</title></svg><script>b()</script><style>c</style><button>d</button></p><nav>e</nav>"
        '<p data-md="skip">f</p><span aria-hidden="true">g</span><template>h</template><p hidden>i</p>'
        "<p data-markdown-ignore>j</p>",
        "a\n",
    ),
    "links of headings": ('<h2>A<a class="headerlink" href="#a">¶</a></h2>', "## A\n"),
    "Material tabs": (
        '<div class="tabbed-set"><input type="radio"><div class="tabbed-labels"><label>pip</label><label>uv</label></div>'
        '<div class="tabbed-content"><div class="tabbed-block"><p>A</p></div>'
        '<div class="tabbed-block"><p>B</p></div></div></div>',
        "**pip**\n\nA\n\n**uv**\n\nB\n",
    ),
    "tabs by role": (
        '<div><ul role="tablist"><li role="tab">One</li><li role="tab">Two</li></ul>'
        '<div><div role="tabpanel"><p>A</p></div><div role="tabpanel" hidden><p>B</p></div></div></div>',
        "**One**\n\nA\n\n**Two**\n\nB\n",
    ),
    "tabs of sphinx-design": (
        '<div class="sd-tab-set"><input type="radio"><label class="sd-tab-label">One</label>'
        '<div class="sd-tab-content"><p>A</p></div></div>',
        "**One**\n\nA\n",
    ),
    "Sphinx code": (
        '<div class="highlight-python notranslate"><div class="highlight"><pre><span></span>'
        '<span class="k">if</span>\n</pre></div></div>',
        "```python\nif\n```\n",
    ),
    "Sphinx code without a language": (
        '<div class="highlight-default"><div class="highlight"><pre>a</pre></div></div>',
        "```\na\n```\n",
    ),
    "GitHub code": ('<div class="highlight highlight-source-js"><pre>a</pre></div>', "```js\na\n```\n"),
    "Shiki code": (
        '<pre data-language="ts"><code><span class="line">a</span>\n<span class="line">b</span></code></pre>',
        "```ts\na\nb\n```\n",
    ),
    "line numbers in a table": (
        '<div class="language-py"><table class="highlighttable"><tr><td class="linenos"><pre>1\n2</pre></td>'
        '<td class="code"><pre>a\n\nb</pre></td></tr></table></div>',
        "```py\na\n\nb\n```\n",
    ),
    "line numbers in the code": (
        '<pre><span class="linenos">1</span>a\n<span class="linenos">2</span>b</pre>',
        "```\na\nb\n```\n",
    ),
    "line breaks in code": ("<pre>a<br>  b<br/>c</pre>", "```\na\n  b\nc\n```\n"),
    "fences in code": ("<pre>```\na\n````</pre>", "`````\n```\na\n````\n`````\n"),
    "code in a list": (
        "<ol><li><p>a</p><pre>b\n\n  c</pre></li></ol>",
        "1. a\n\n   ```\n   b\n\n     c\n   ```\n",
    ),
    "code in a quotation": ("<blockquote><pre>a\n\nb</pre></blockquote>", "> ```\n> a\n>\n> b\n> ```\n"),
    "Sphinx admonition": (
        '<div class="admonition warning"><p class="admonition-title">Warning</p><p>a</p></div>',
        "> [!WARNING]\n>\n> a\n",
    ),
    "admonition with a title": (
        '<div class="admonition danger"><p class="admonition-title">Mind <b>this</b></p><p>a</p></div>',
        "> [!CAUTION]\n>\n> **Mind this**\n>\n> a\n",
    ),
    "GitHub alert": (
        '<div class="markdown-alert markdown-alert-tip"><p class="markdown-alert-title"><svg></svg>Tip</p><p>a</p></div>',
        "> [!TIP]\n>\n> a\n",
    ),
    "admonition in an admonition": (
        '<div class="admonition note"><p>a</p><div class="admonition tip"><p>b</p></div></div>',
        "> [!NOTE]\n>\n> a\n>\n> > [!TIP]\n> >\n> > b\n",
    ),
    "Sphinx footnotes": (
        '<p>a <a class="footnote-reference brackets" href="#f1" role="doc-noteref"><span>[</span>1<span>]</span></a></p>'
        '<aside class="footnote-list brackets"><aside class="footnote brackets" id="f1" role="doc-footnote">'
        '<span class="label"><span>[</span><a role="doc-backlink" href="#r1">1</a><span>]</span></span>'
        "<p>N</p></aside></aside>",
        "a [^1]\n\n[^1]: N\n",
    ),
    "definitions": (
        "<dl><dt>A</dt><dt><code>B</code></dt><dd>c</dd><dt>D</dt><dd><p>e</p><ul><li>f</li></ul></dd><dt>G</dt></dl>",
        "**A, `B`**: c\n\n**D**:\n\ne\n\n- f\n\n**G**\n",
    ),
    "details": ("<details><summary>More</summary><p>a</p></details>", "**More**\n\na\n"),
    "media": (
        '<p><video src="v.mp4"></video></p><iframe src="/f"></iframe>',
        "[video](https://a.example/v.mp4)\n\n[iframe](https://a.example/f)\n",
    ),
    "raised and lowered": ("<p>x<sup>2</sup> H<sub>2</sub>O 1<sup>st</sup></p>", "x² H₂O 1^st\n"),
    "tasks": (
        '<ul><li><input type="checkbox" checked> a</li><li><label><input type="checkbox"> b</label></li></ul>',
        "- [x] a\n- [ ] b\n",
    ),
    "more than one H1": ("<h1>A</h1><h1>B <i>c</i></h1>", "# A\n\n## B *c*\n"),
    "marks of other dialects": ("<p>!!! note</p><p>: a</p><p>::: b</p>", "\\!!! note\n\n\\: a\n\n\\::: b\n"),
    "a character that we would use": (
        "<p>\ue000a\ue0000\ue000</p><pre>\ue001</pre>",
        "\ue000a\ue0000\ue000\n\n```\n\ue001\n```\n",
    ),
    "a language that is no word": ('<pre data-lang="a`\nb">c</pre>', "```\nc\n```\n"),
    "a code block in a cell": (
        "<table><tr><th>a</th></tr><tr><td><pre>b|c</pre></td></tr></table>",
        "| a |\n| --- |\n| `b\\|c` |\n",
    ),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_markdown(name: str) -> None:
    html, markdown = CASES[name]
    assert from_html(html, base_url="https://a.example/", links={}) == markdown


def test_depth_does_not_matter() -> None:
    deep = "<div>" * 300 + "a" + "</div>" * 300
    assert from_html(deep, base_url="https://a.example/", links={}) == "a\n"
