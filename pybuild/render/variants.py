"""Markdown variants: what a page is for readers that want Markdown.

Owns the three parts of a variant: its body, made from the page's Markdown source or from its HTML, and the
front matter and pointer above it. Knows no route; links and addresses are given.
Sources: llmstxt.org; CommonMark 0.31.2; JSON (RFC 8259) for values of front matter, which YAML 1.2 includes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from html_to_markdown import ConversionOptions, convert
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pybuild.render.mdsource import ensure_one_h1, escape, rewrite_links
from pybuild.render.outline import Outline
from pybuild.render.prepare import Prepared, prepare

KEYS = ("title", "description", "url", "lastmod", "lang")
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # allowed in JSON
_MAIN = ("main", "[role=main]", "article", "body")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # no text; the converter refuses much of them
_OPTIONS = ConversionOptions(
    escape_asterisks=True,
    escape_underscores=True,
    escape_misc=True,
    highlight_style="none",
    br_in_tables=True,
    compact_tables=True,
    extract_metadata=False,
)


def from_markdown(
    source: str,
    *,
    links: Mapping[str, str],
    title: str,
    html: bool = False,
    outline: Outline | None = None,
) -> str:
    """Make a body of the page's own Markdown: links replaced, one H1. `html`, `outline` as in `rewrite_links`."""
    text = rewrite_links(source, links, html=html, outline=outline)
    return ensure_one_h1(text, title, html=html, outline=outline)


def from_html(main: str, *, base_url: str, links: Mapping[str, str], title: str = "") -> str:
    """Make a body of the HTML of a page's content: absolute links, intact code, one H1.

    `links` maps an address, as written or made absolute by `base_url`, to the one to write. Where there is no
    H1, `title` becomes it.
    """
    prepared = prepare(_CONTROLS.sub("", main), base_url=base_url, links=links)
    body = _converted(prepared.html, prepared)
    for number, html in enumerate(prepared.notes, 1):
        body += f"\n{_note(number, html, prepared)}"
    heading = f"# {escape(title)}\n\n" if title and not prepared.has_h1 else ""
    return heading + body


def _converted(html: str, prepared: Prepared) -> str:
    return prepared.restore(convert(html, _OPTIONS).content or "")


def _note(number: int, html: str, prepared: Prepared) -> str:
    """One footnote; what follows its first line is indented."""
    text = _converted(html, prepared).strip()
    return f"[^{number}]: " + re.sub(r"\n(?=[^\n])", "\n    ", text) + "\n"


def main_content(html: str) -> str:
    """The HTML inside a page's `<main>`, else `[role=main]`, `<article>` or `<body>`."""
    tree = LexborHTMLParser(html)
    node: LexborNode | None = next((found for query in _MAIN if (found := tree.css_first(query))), None)
    return (node.inner_html or "") if node else ""


def compose(body: str, *, front: Mapping[str, str], llms_url: str) -> str:
    """Put front matter and the pointer to llms.txt above a body.

    Of `front` the keys of `KEYS` are written, in that order, but for empty values. Ends with one newline.
    """
    lines = [f"{key}: {_quoted(front[key])}" for key in KEYS if front.get(key)]
    block = ["---", *lines, "---", ""] if lines else []
    pointer = f"> For the complete documentation index, see [llms.txt]({llms_url})."
    return "\n".join([*block, pointer, "", body.strip("\n")]).rstrip() + "\n"


def _quoted(text: str) -> str:
    """Write text as a JSON string that YAML reads too."""
    written = json.dumps(text, ensure_ascii=False)
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
