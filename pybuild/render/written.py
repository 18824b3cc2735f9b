"""Where a file of the site writes an address.

Owns the search for it in templates, code, settings and front matter, which is by the text alone. Knows no language.
"""

from __future__ import annotations

import re
from bisect import bisect
from pathlib import Path

from pybuild.config.schema import Site

_QUOTED = re.compile(r"""(?=["']([^"'\n]+)["'])""")  # what is between two quotation marks
_BETWEEN = re.compile(r"[\s,]+(?:url=)?|;\s*url=", re.I)  # words, and the address of a refresh
_VALUE = re.compile(
    r"^[ \t]*(?:-[ \t]+)?(?:[\w.-]+:[ \t]+)?([^\s\"'][^\n]*?)[ \t]*$", re.M
)  # of YAML, without them


def lines_in(file: Path) -> dict[str, int]:
    """The first line of each text between quotation marks, and of each word in one; of a document also of bare values."""
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return {}
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    lines: dict[str, int] = {}
    words: dict[str, int] = {}
    patterns = (_QUOTED, _VALUE) if file.suffix in (".md", ".markdown") else (_QUOTED,)
    for pattern in patterns:
        for found in pattern.finditer(text):
            line = bisect(starts, found.start(1))
            lines.setdefault(found[1], line)
            for word in _BETWEEN.split(found[1]) if _BETWEEN.search(found[1]) else ():
                words.setdefault(word, line)
    return {**words, **lines}


def spellings(text: str, site: Site) -> tuple[str, ...]:
    """How an author may have written an address: as it is, or without that of the site before it."""
    return tuple(
        dict.fromkeys((text, text.removeprefix(site.url.rstrip("/")), text.removeprefix(site.origin)))
    )
