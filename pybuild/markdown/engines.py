"""Engines: CommonMark text to plain HTML, and nothing more.

Owns which parsers there are and the one spelling in which both write. An engine reads tables and strikethrough beyond
CommonMark and lets raw HTML through; what is made of its HTML is no business of this module.
Sources: CommonMark 0.31.2; GitHub Flavored Markdown 0.29 §4.10, §6.5; pulldown-cmark's HTML for the spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

try:
    import pyromark
except ImportError:  # no wheel for this machine
    pyromark = None  # type: ignore[assignment]

Engine = Callable[[str], str]
"""Takes text whose lines end in "\\n", the last one too."""

NESTING = 100  # levels of blocks or of inline markup that markdown-it-py follows
# A line right below a definition, which pulldown-cmark takes for one that goes on a paragraph.
_READ_OTHERWISE = re.compile(r"(?m)^[ \t>*+\-0-9.)]*\[[^\]\n]+\]:(?!:)[^\n]*\n(?=[ \t>]*(?!```|~~~)[^\s\[>])")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def is_fast(name: str) -> bool:
    """Whether `[markdown] engine` names the parser written in Rust; `"auto"` does where it can be imported."""
    return name != "markdown-it-py" and pyromark is not None


def engine_of(name: str) -> Engine:
    """Make the engine that `[markdown] engine` names."""
    if not is_fast(name):
        return python_engine()
    options = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH
    fast, exact = pyromark.Markdown(options=options).html, python_engine()

    def html(text: str) -> str:
        return exact(text) if "]:" in text and _READ_OTHERWISE.search(text) else fast(text)

    return html


def python_engine() -> Engine:
    """markdown-it-py, which runs everywhere."""
    return python_parser().render


def python_parser() -> MarkdownIt:
    """The parser of markdown-it-py, which takes plugins."""
    options = {"maxNesting": NESTING, "html": True, "xhtmlOut": True, "strikethrough_single_tilde": True}
    parser = MarkdownIt("commonmark", options, renderer_cls=_PlainHTML).enable(["table", "strikethrough"])
    parser.inline.ruler.at("strikethrough", _tildes)
    parser.normalizeLink = encoded  # type: ignore[method-assign]
    parser.normalizeLinkText = str  # type: ignore[method-assign, assignment]
    parser.validateLink = lambda href: True  # type: ignore[method-assign, assignment]
    return parser


def _tildes(state: StateInline, silent: bool) -> bool:
    """Read `~` and `~~`; a single one parts no word (`H~2~O`), as in pulldown-cmark."""
    start = state.pos
    if silent or state.src[start] != "~":
        return False
    run = state.scanDelims(start, True)
    if run.length == 1:
        run = state.scanDelims(start, False)
    state.push("text", "", 0).content = "~" * run.length
    if run.length <= 2:
        state.delimiters.append(
            Delimiter(ord("~"), 0, len(state.tokens) - 1, -1, run.can_open, run.can_close)
        )
    state.pos += run.length
    return True


@lru_cache(maxsize=4096)
def encoded(href: str) -> str:
    """Percent-encode what an address cannot have; `%` stays."""
    return quote(href, safe="!#$%&'()*+,-./:;=?@_~")


def _code(tokens: Sequence[Token], idx: int, name: str) -> str:
    line_end = "\n" if idx and tokens[idx - 1].hidden else ""
    return f"{line_end}<pre><code{name}>{tokens[idx].content.translate(_TEXT)}</code></pre>\n"


_TABLE = {
    "table_open": "<table>",
    "thead_open": "<thead>",
    "tr_open": "<tr>",
    "th_close": "</th>",
    "td_close": "</td>",
    "thead_close": "</thead><tbody>\n",
    "tbody_open": "",
    "tbody_close": "",
    "table_close": "</tbody></table>\n",
}


class _PlainHTML(RendererHTML):
    """Writes tokens as pulldown-cmark does; methods are named after the tokens."""

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        text = tokens[idx].content.translate(_TEXT)
        ends_line = idx + 1 < len(tokens) and tokens[idx + 1].type == "softbreak"
        return text.rstrip(" \t") if ends_line else text

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<code>{tokens[idx].content.translate(_TEXT)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _code(tokens, idx, "")

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        word = unescapeAll(tokens[idx].info.strip()).partition(" ")[0]
        name = f' class="language-{word.translate(_ATTRIBUTE)}"' if word else ""
        return _code(tokens, idx, name)

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        token.attrs["alt"] = self.renderInlineAsText(token.children, options, env).replace("\n", " ")
        return f"<img{self.renderAttrs(token)} />"

    @staticmethod
    def renderAttrs(token: Token) -> str:
        if token.type in ("th_open", "td_open"):
            return "".join(f' style="{str(side).replace(":", ": ")}"' for side in token.attrs.values())
        written = ((name, str(value).translate(_ATTRIBUTE)) for name, value in token.attrItems())
        return "".join(
            f' {name}="{value.replace("&#39;", "&#x27;") if name in ("href", "src") else value}"'
            for name, value in written
        )

    def renderToken(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        html = super().renderToken(tokens, idx, options, env)
        if token.type == "list_item_open" and tokens[idx + 1].type in ("html_block", "table_open"):
            return html.rstrip("\n")
        if token.type == "blockquote_open":
            return html if html.endswith("\n") else html + "\n"
        if token.tag == "s":
            return html.replace("s>", "del>")
        if token.type in _TABLE:
            return _TABLE[token.type]
        if token.type == "tr_close" and tokens[idx + 1].type == "thead_close":
            return "</tr>"
        return html.rstrip("\n") if token.type in ("table_open", "thead_open") else html
