"""Blocks of code: what follows a fence, and the HTML of the block.

Owns the spellings of language, title, marked lines and line numbers that common tools have, and the one HTML they become.
Knows no colours and no page.
Sources: the documentation of Material for MkDocs, Docusaurus, VitePress and Expressive Code on code blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

from pybuild.markdown.code import highlight

_LANGUAGE = re.compile(r"\{?\.?([^\s{}:,\"'=\[]+)(?=[\s{}:,\[]|\Z)")
TITLE = re.compile(r"""(?<!\S)title=(?:"([^"]*)"|'([^']*)'|([^\s"'}]+))|(?<!\S)\[([^\]]+)\]""")
_RANGES = r"[0-9]+(?:-[0-9]+)?(?:(?:[ ]*,[ ]*|[ ]+)[0-9]+(?:-[0-9]+)?)*"
_MARKED = re.compile(
    rf"""(?<![\w-])(hl_lines|ins|del|mark)=["'{{][ ]*({_RANGES})[ ]*["'}}] | (?<!=)\{{[ ]*({_RANGES})[ ]*\}}""",
    re.X,
)
_NUMBERED = re.compile(
    r"""(?:linenums|startLineNumber)=["'{]?([0-9]+)|showLineNumbers|:line-numbers(?:=([0-9]+))?|\.numberLines"""
)
_CLASS_OF = {"ins": "ins", "del": "del"}
_MOST = 100_000  # lines


@dataclass(slots=True)
class _Fence:
    """What the words behind a fence ask for."""

    language: str = ""
    title: str = ""
    marks: dict[int, str] = field(default_factory=dict)  # line, 1-based → class
    first: int = 0  # number of the first line; 0 is without numbers


@lru_cache(maxsize=256)
def _read(info: str) -> _Fence:
    """Read the words behind a fence, which most have alike. The answer is not for changing."""
    fence = _Fence()
    if found := _LANGUAGE.match(info):
        fence.language, info = found[1], info[found.end(1) :]
    if found := TITLE.search(info):
        fence.title = found[1] or found[2] or found[3] or found[4] or ""
        info = info[: found.start()] + info[found.end() :]
    for kind, named, bare in _MARKED.findall(info):
        for part in re.split("[ ,]+", named or bare):
            low, _, high = part.partition("-")
            for line in range(int(low[:6]), min(int((high or low)[:6]), _MOST) + 1):
                fence.marks[line] = _CLASS_OF.get(kind, "hl")
    if found := _NUMBERED.search(info):
        fence.first = int((found[1] or found[2] or "1")[:6]) or 1
    return fence


def code_block(code: str, info: str, *, is_highlighted: bool) -> str:
    """Write a block of code whose fence says `info`; `pre` takes the focus so that the keyboard can scroll it."""
    fence = _read(info.strip())
    inner = highlight(code, fence.language if is_highlighted else "")
    if fence.marks or fence.first:
        inner = "".join(_lines(inner, fence))
    name = f' class="language-{escape(fence.language)}"' if fence.language else ""
    block = f'<pre class="highlight" tabindex="0"><code{name}>{inner}</code></pre>'
    if not fence.title:
        return block
    return f'<figure class="code-block">\n<figcaption>{escape(fence.title, quote=False)}</figcaption>\n{block}\n</figure>'


def _lines(inner: str, fence: _Fence) -> Iterator[str]:
    """Put each line into an element; a span that goes over a line's end is closed and opened again."""
    opened = ""
    lines = inner.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        text = opened + line
        at = text.rfind("<span")
        opened = text[at : text.index(">", at) + 1] if at > text.rfind("</span>") else ""
        text += "</span>" if opened else ""
        count = f'<span class="lineno">{fence.first + number - 1}</span>' if fence.first else ""
        mark = f" {fence.marks[number]}" if number in fence.marks else ""
        yield f'<span class="line{mark}">{count}{text}\n</span>'
