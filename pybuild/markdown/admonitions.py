"""Admonitions: notes, tips and warnings set apart from the text.

Owns the three ways to write one (`!!! note "H1Span"`, `::: note H1Span`, `> [!NOTE]`), the kinds there are, and
the one element they all become. Knows no page.
Sources: Python-Markdown's "Admonition" extension; markdown-it-container; GitHub's "Alerts".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.admon.index import admonition as parse_admonition
from mdit_py_plugins.container import container_plugin

ALERTS = ("note", "tip", "important", "warning", "caution")
# The alert that is nearest to what other tools call an admonition; an unknown kind is a note.
KINDS = {
    **{kind: kind for kind in ALERTS},
    **dict.fromkeys(("hint", "success", "check", "done"), "tip"),
    **dict.fromkeys(("info", "abstract", "summary", "tldr", "todo", "example", "quote", "cite"), "note"),
    **dict.fromkeys(("seealso", "question", "help", "faq", "details"), "note"),
    **dict.fromkeys(("attention",), "warning"),
    **dict.fromkeys(("danger", "error", "bug", "failure", "fail", "missing"), "caution"),
}
_BANG = re.compile(r"(?:!!!|\?\?\?\+?)[ \t]+[a-z][a-z0-9-]*(?:[ \t]|$)")
_COLONS = re.compile(r"\s*([a-z][a-z0-9-]*)(?:\s+(.*?))?\s*$", re.I)
_QUOTED = re.compile(r'"(.*)"')


def admonitions(md: MarkdownIt) -> None:
    """A markdown-it plugin: read all three forms and make them one."""
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.before("fence", "pybuild_admonition", _bang, {"alt": interrupts})
    md.use(container_plugin, "admonition", validate=_is_known, render=_render)
    md.options["alerts"] = True
    md.core.ruler.after("block", "pybuild_admonitions", _unify)


def _bang(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read `!!! kind`; a line of exclamation marks in prose stays text."""
    begin, stop = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    if begin >= stop or state.src[begin] not in "!?" or not _BANG.match(state.src, begin, stop):
        return False
    return parse_admonition(state, start, end, silent)


def _is_known(params: str, _markup: str) -> bool:
    found = _COLONS.match(params)
    return bool(found) and found[1].lower() in KINDS  # type: ignore[index]


def _render(self: Any, tokens: Any, index: int, options: Any, env: Any) -> Any:
    return self.renderToken(tokens, index, options, env)


def _unify(state: StateCore) -> None:
    tokens: list[Token] = []
    for token in state.tokens:
        tokens.extend(_PARTS[token.type](token) if token.type in _PARTS else (token,))
    state.tokens = tokens


def _container(token: Token) -> Iterator[Token]:
    found = _COLONS.match(token.info)
    assert found, "the container was validated by this pattern"
    kind, title = found[1].lower(), found[2] or found[1].capitalize()
    yield _opened(token, kind)
    quoted = _QUOTED.fullmatch(title)
    lines = [token.map[0], token.map[0] + 1] if token.map else None
    yield Token("paragraph_open", "p", 1, {"class": "admonition-title"}, lines, token.level + 1, block=True)
    inline = Token("inline", "", 0, map=lines, level=token.level + 2, children=[], block=True)
    inline.content = quoted[1] if quoted else title
    yield inline
    yield Token("paragraph_close", "p", -1, level=token.level + 1, block=True)


def _opened(token: Token, kind: str) -> Token:
    """Make any opening token the one element; the class has the alert, then the author's own word."""
    alert = KINDS.get(kind, "note")
    token.tag = "aside"
    token.attrs = {"class": f"admonition {alert}" + (f" {kind}" if kind != alert else ""), "role": "note"}
    return token


def _alert(token: Token) -> Iterator[Token]:
    yield _opened(token, token.info.lower())


def _admonition(token: Token) -> Iterator[Token]:
    yield _opened(token, token.meta["tag"])


def _closed(token: Token) -> Iterator[Token]:
    token.tag = "aside"
    yield token


def _title(token: Token) -> Iterator[Token]:
    token.attrs = {"class": "admonition-title"}
    yield token


_PARTS = {
    "container_admonition_open": _container,
    "container_admonition_close": _closed,
    "admonition_open": _admonition,
    "admonition_title_open": _title,
    "admonition_close": _closed,
    "alert_open": _alert,
    "alert_title_open": _title,
    "alert_close": _closed,
}
