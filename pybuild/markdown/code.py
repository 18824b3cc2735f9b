"""Code blocks: the language they name, their colours at build time, and how they are written in Markdown.

Owns the many ways in which tools name a language in classes, which kinds of token are told apart, their class names (the
short ones of Pygments) and two palettes of WCAG AA contrast. Knows no page.
Sources: HTML Living Standard §4.5.15 (`language-` on `code`); the HTML of Sphinx, GitHub, Shiki and Rouge;
CommonMark 0.31.2 §4.5; Pygments' `STANDARD_TYPES`; WCAG 2.2 §1.4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from html import escape
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound
from selectolax.lexbor import LexborNode

_CLASS = re.compile(r"(?:language|lang|highlight-source|highlight)-([\w+#.-]+)")
_NAME = re.compile(r"[\w+#.-]+")
_NO_LANGUAGE = frozenset({"default", "none", "text", "plain", "plaintext", "notranslate"})


def language_of(node: LexborNode) -> str:
    """The language that a block, its `code` or an element around them names; `""` where none does."""
    for near in _near(node):
        classes = map(_CLASS.fullmatch, (near.attrs.get("class") or "").split())
        said = near.attrs.get("data-lang") or near.attrs.get("data-language") or ""
        for name in (said, *(found[1] for found in classes if found)):
            if _NAME.fullmatch(name) and name not in _NO_LANGUAGE:
                return name
    return ""


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


def fence(language: str, code: str) -> str:
    """A fenced block, its fence longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{code}\n{marks}" if code else f"{marks}{language}\n{marks}"


_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output"})
_REMEMBERED = 2048  # fences; most of a site's are distinct, those in shared text are not

CLASSES: dict[Any, str] = {
    Comment: "c",
    Keyword: "k",
    Operator.Word: "k",
    String: "s",
    Number: "m",
    Keyword.Constant: "m",
    Name.Constant: "m",
    Name.Function: "nf",
    Name.Class: "nf",
    Name.Decorator: "nf",
    Name.Builtin: "nb",
    Name.Exception: "nb",
    Name.Variable: "nb",
    Name.Tag: "nt",
    Name.Attribute: "na",
    Generic.Deleted: "gd",
    Generic.Inserted: "gi",
    Generic.Heading: "gh",
    Generic.Subheading: "gh",
    Generic.Prompt: "gp",
    Generic.Output: "go",
    Generic.Emph: "ge",
    Generic.Strong: "gs",
}
BACKGROUNDS = {"light": "#f6f8fa", "dark": "#161b22"}
LIGHT = {
    "": "#1f2328",
    "c": "#57606a",
    "k": "#b3202c",
    "s": "#0a3069",
    "m": "#0550ae",
    "nf": "#6639ba",
    "nb": "#8a3400",
    "nt": "#116329",
    "na": "#0550ae",
    "gd": "#82071e",
    "gi": "#116329",
    "gh": "#0550ae",
    "gp": "#57606a",
    "go": "#57606a",
}
DARK = {
    "": "#e6edf3",
    "c": "#9198a1",
    "k": "#ff7b72",
    "s": "#a5d6ff",
    "m": "#79c0ff",
    "nf": "#d2a8ff",
    "nb": "#ffa657",
    "nt": "#7ee787",
    "na": "#79c0ff",
    "gd": "#ffa198",
    "gi": "#7ee787",
    "gh": "#79c0ff",
    "gp": "#9198a1",
    "go": "#9198a1",
}


_FRONT_MATTER = re.compile(
    r"---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|$)"
)  # of Markdown, which Pygments reads as headings


@lru_cache(maxsize=_REMEMBERED)
def highlight(code: str, language: str) -> str:
    """Escape code and wrap what the language tells apart: `1` → `<span class="m">1</span>`.

    The text between the tags is `code` exactly. An unknown language, `text` and `""` give escaped text.
    """
    if language in ("markdown", "md") and (front := _FRONT_MATTER.match(code)):
        return highlight(front[0], "yaml") + highlight(code[front.end() :], language)
    lexer = _lexer(language.lower())
    if lexer is None:
        return escape(code, quote=False)
    runs: list[tuple[str, str]] = []
    last, parts = "", list[str]()
    for kind, value in lexer.get_tokens(code):
        name = _class(kind)
        if name != last:
            runs.append((last, "".join(parts)))
            last, parts = name, []
        parts.append(value)
    runs.append((last, "".join(parts)))
    if "".join([text for _, text in runs]) != code:
        return escape(code, quote=False)  # a lexer that changes its input would change what readers copy
    shown = []
    for name, text in runs:
        marked = escape(text, quote=False)
        shown.append(f'<span class="{name}">{marked}</span>' if name and not text.isspace() else marked)
    return "".join(shown)


@cache
def _lexer(language: str) -> Lexer | None:
    if language in _PLAIN:
        return None
    try:
        lexer: Lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    return lexer


@cache
def _class(kind: _TokenType) -> str:
    """The class of a token or of the nearest kind around it that has one."""
    known: Any = kind
    while known is not None:
        if known in CLASSES:
            return CLASSES[known]
        known = known.parent
    return ""


def stylesheet() -> str:
    """The colours of `.highlight`, light, and dark where the reader prefers it."""
    dark = _rules(DARK, BACKGROUNDS["dark"])
    styles = ".highlight .gh,.highlight .gs{font-weight:600}\n.highlight .ge{font-style:italic}\n"
    return f"{_rules(LIGHT, BACKGROUNDS['light'])}{styles}@media (prefers-color-scheme:dark){{\n{dark}}}\n"


def _rules(palette: dict[str, str], background: str) -> str:
    """One rule a colour, classes of one colour together."""
    names: dict[str, list[str]] = {}
    for name, colour in palette.items():
        if name:
            names.setdefault(colour, []).append(f".highlight .{name}")
    rules = [f".highlight{{color:{palette['']};background:{background}}}"]
    rules += [f"{','.join(selectors)}{{color:{colour}}}" for colour, selectors in names.items()]
    return "\n".join(rules) + "\n"
