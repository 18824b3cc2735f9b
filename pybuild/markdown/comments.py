"""Comments that reach over the end of a block of raw HTML.

Owns the search for them in a source. CommonMark ends such a block at a blank line, also within a comment of it: what
follows would be a paragraph, and the comment would never end. Its author meant a comment. Knows no engine.
Source: CommonMark 0.31.2 §4.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLOCKS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    "|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu"
    "|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul"
)  # the names of the sixth kind of HTML block
_START = re.compile(
    rf"""
    ^[ \t>]*(?:(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]+[ \t>]*)*(?:
        (?P<fence>`{{3,}}(?=[^`\n]*$)|~{{3,}})[^\n]*(?:\n(?![ \t>]*(?P=fence)[`~]*[ \t]*$)[^\n]*)*(?:\n[^\n]*)?
      | <!--.*?(?:-->|\Z)
      | <(?P<raw>pre|script|style|textarea)(?=[\s>]).*?(?:</(?P=raw)>|\Z)
      | (?P<block></?(?:{_BLOCKS})(?=[\s/>]|$)|</?[A-Za-z][\w-]*(?:\s(?:[^"'<>\n]++|"[^"\n]*+"|'[^'\n]*+')*+)?>[ \t]*$)
    )
    """,
    re.X | re.S | re.M | re.I,
)
_BLANK_LINE = re.compile(r"\n[ \t>]*(?:\n|\Z)")


def split_comments(source: str) -> Iterator[tuple[int, int]]:
    """The places of comments that begin in a block of raw HTML and have a blank line in them."""
    at, last = 0, source.rfind("<!--")
    while at <= last and (start := _START.search(source, at)):
        at = start.end()
        if start["block"]:
            at = start.start("block")
            while (begin := source.find("<!--", at, _end_of_block(source, at))) >= 0:
                end = source.find("-->", begin) + 3
                if end < 3:
                    return
                if _BLANK_LINE.search(source, begin, end):
                    yield begin, end
                at = end
            at = max(_end_of_block(source, at), at)


def _end_of_block(source: str, at: int) -> int:
    found = _BLANK_LINE.search(source, at)
    return found.start() if found else len(source)


def without_split_comments(source: str) -> str:
    """The source without these comments."""
    parts, done = [], 0
    for start, end in split_comments(source):
        parts.append(source[done:start])
        done = end
    return "".join((*parts, source[done:])) if parts else source
