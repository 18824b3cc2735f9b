"""Code blocks in HTML: the language they name, and how they are written in Markdown.

Owns the many ways in which tools name a language in classes. Knows no page.
Sources: HTML Living Standard §4.5.15 (`language-` on `code`); the HTML of Sphinx, GitHub, Shiki and Rouge;
CommonMark 0.31.2 §4.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

_CLASS = re.compile(r"(?:language|lang|highlight-source|highlight)-([\w+#.-]+)")
_NAME = re.compile(r"[\w+#.-]+")
_NO_LANGUAGE = frozenset({"default", "none", "text", "plain", "plaintext", "notranslate"})


def language_of(node: LexborNode) -> str:
    """The language that a block, its `code` or an element around them names; `""` where none does."""
    return next((name for near in _near(node) for name in _named(near) if _is_language(name)), "")


def _near(node: LexborNode) -> Iterator[LexborNode]:
    """The block's `code`, the block and three elements around it."""
    code = node.css_first("code")
    if code:
        yield code
    around: LexborNode | None = node
    for _ in range(4):
        if around and around.tag != "body":
            yield around
            around = around.parent


def _named(node: LexborNode) -> Iterator[str]:
    yield node.attrs.get("data-lang") or node.attrs.get("data-language") or ""
    for name in (node.attrs.get("class") or "").split():
        found = _CLASS.fullmatch(name)
        yield found[1] if found else ""


def _is_language(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in _NO_LANGUAGE


def fence(language: str, code: str) -> str:
    """A fenced block, its fence longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{code}\n{marks}" if code else f"{marks}{language}\n{marks}"
