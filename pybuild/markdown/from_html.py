"""Markdown variants: what a page is for readers that want Markdown.

Owns the three parts of a variant: its body, made from the page's Markdown source or from its HTML, and the front matter
and pointer above it; and what a general converter cannot know of HTML: which parts are not content, and how admonitions,
footnotes, tabs, definition lists and highlighted code are marked up by common tools. Knows no route; links and addresses
are passed in.
Sources: llmstxt.org; CommonMark 0.31.2; JSON (RFC 8259) for values of front matter, which YAML 1.2 includes; the HTML of
Sphinx, Material for MkDocs, Docusaurus, GitHub and `pybuild.markdown.renderer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape as escape_html
from urllib.parse import urldefrag, urljoin

from html_to_markdown import ConversionOptions, convert
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pybuild.markdown.blocks import KINDS, Words
from pybuild.markdown.code import fence, language_of
from pybuild.markdown.rewrite import escape

_DROPPED = (
    "script, style, template, nav, svg, button, input:not([type=checkbox]), "
    "[role=tablist], [aria-hidden=true], [data-md=skip], [data-markdown-ignore], "
    ".headerlink, a.anchor, a.header-anchor, a.hash-link, .linenos, .lineno, .linenodiv"
)
_ADMONITIONS = ".admonition, .markdown-alert, .theme-admonition, .starlight-aside, .custom-block"
_TITLES = ".admonition-title, .markdown-alert-title, .starlight-aside__title, .custom-block-title"
_CONTAINERS = r"[ >]*(?:(?:[-*+]|[0-9]{1,9}\.) [ >]*)*"  # what a line in quotations and lists begins with
_NOTES = ".footnotes li[id], .footnote-item[id], aside.footnote[id]"
_BACKLINKS = ".footnote-backref, .footnote-back, [role=doc-backlink], [rev=footnote]"
_DIALECT = re.compile(r"(?m)(?<!\S)(?:!!!|\?\?\?|:::|:(?=\s|$))")
_CODE = re.compile(r"(?i)(?:javascript|vbscript|data|file):")
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_JSON_TEXT = json.JSONEncoder(ensure_ascii=False).encode
_DEEPEST = 16  # elements of one kind in one another that are still written as such
_BLOCKS = "p, ul, ol, dl, pre, table, div, blockquote, section, aside"


@dataclass(frozen=True, slots=True)
class Prepared:
    """HTML for the converter, and what it must not see."""

    html: str
    has_h1: bool
    notes: tuple[str, ...]  # HTML of the footnotes, in the order of their numbers from 1
    raw: tuple[str, ...]  # Markdown; the HTML holds its index between two `mark`
    mark: str  # a character that the page does not have

    def restore(self, markdown: str) -> str:
        """Put the Markdown back for which the HTML holds an index, and take out what parted quotations."""
        markdown = re.sub(f"(?m)^[ >]*{self.mark}{{2}}\n(?:[ >]*\n)?", "", markdown)
        found = re.compile(f"(?m)(?:^({_CONTAINERS}))?{self.mark}([0-9]+){self.mark}")
        return found.sub(lambda match: _indented(match[1] or "", self.raw[int(match[2])]), markdown)


def prepare(html: str, *, base_url: str, links: Mapping[str, str], words: Words = str.capitalize) -> Prepared:
    """Drop what is not content, and mark up the rest so that a plain converter keeps it.

    `links` maps an address, as written or made absolute by `base_url`, to the one to write. A title that `words` gives
    is that of its kind.
    """
    page = _Page(html)
    page.write_math()
    page.label_tabs()
    page.drop()
    page.flatten_code()
    page.mark_notes()
    page.link(base_url, links)
    page.write_raised()
    page.protect_text()
    page.flatten_depths()
    page.quote_admonitions(words)
    page.write_definitions()
    page.part_quotations()
    return page.finish()


def _indented(containers: str, text: str) -> str:
    """Put what is before the first line before the others too, a list's marker as spaces."""
    below = re.sub(r"[^>\s]", " ", containers)
    first, *rest = text.split("\n")
    return "\n".join(
        [containers + first, *((below + line).rstrip() if not line else below + line for line in rest)]
    )


class _Page:
    """One tree, changed step by step.

    Elements are changed through `inner_html`, which frees what was inside: so from the innermost out, and no
    node is kept across steps.
    """

    def __init__(self, html: str) -> None:
        self.mark = next(char for char in map(chr, range(0xE000, 0xF8FF)) if char not in html)
        self.tree = LexborHTMLParser(f"<body>{html}</body>")
        self.raw: list[str] = []

    def css(self, query: str) -> list[LexborNode]:
        """The elements, innermost and last first."""
        return self.tree.css(query)[::-1]

    def nested(self, query: str) -> list[LexborNode]:
        """As `css`, but for those inside of `_DEEPEST` others: each of these writes all inside of it anew."""
        depths: dict[int, int] = {}
        nodes = self.tree.css(query)
        for node in nodes if len(nodes) > _DEEPEST else ():
            around = node.parent
            while around and around.mem_id not in depths:
                around = around.parent
            depths[node.mem_id] = depths[around.mem_id] + 1 if around else 0
        return [node for node in nodes if depths.get(node.mem_id, 0) < _DEEPEST][::-1]

    def keep(self, markdown: str) -> str:
        """Text that stands for a piece of Markdown the converter would escape_html."""
        self.raw.append(markdown)
        return f"{self.mark}{len(self.raw) - 1}{self.mark}"

    def drop(self) -> None:
        for node in self.css(_DROPPED):
            node.decompose()

    def write_math(self) -> None:
        """Formulas as TeX, where they say it."""
        for node in self.css("math[alttext]"):
            sign = "$$" if node.attrs.get("display") == "block" else "$"
            node.replace_with(self.keep(f"{sign}{node.attrs['alttext']}{sign}"))

    def label_tabs(self) -> None:
        """Show every panel, each below its label in bold."""
        for tabs in self.css("[role=tablist], .tabbed-labels"):
            labels = [" ".join(node.text().split()) for node in tabs.css("[role=tab], label")]
            for label, panel in zip(labels, _panels(tabs, len(labels)), strict=False):
                panel.attrs["class"] = "labelled"
                for name in ("hidden", "aria-hidden", "role"):
                    if name in panel.attrs:
                        del panel.attrs[name]
                shown = _element(f"<p><strong>{escape_html(label)}</strong></p>")
                panel.child.insert_before(shown) if panel.child else panel.insert_child(shown)
            tabs.decompose()
        for label_node in self.nested(".tabbed-set > label, .sd-tab-label"):
            label_node.inner_html = f"<strong>{label_node.inner_html}</strong>"

    def flatten_code(self) -> None:
        """Leave of each block its text in one `code` that names the language."""
        for table in self.css("table.highlighttable, table.rouge-table, table.lntable"):
            blocks = table.css("pre")
            if blocks:
                code = f'<pre data-lang="{language_of(table)}">{blocks[-1].inner_html}</pre>'
                table.replace_with(_element(code))
        for block in self.css("pre"):
            for line_break in block.css("br"):
                line_break.replace_with("\n")
            text = block.text().removesuffix("\n")
            if _is_within(block, "td", "th", "a", "summary"):
                block.inner_html = f"<code>{escape_html(text)}</code>"
            else:
                block.replace_with(_element(f"<p>{self.keep(fence(language_of(block), text))}</p>"))

    def mark_notes(self) -> None:
        """Number the footnotes, write their marks, and drop the way back."""
        labels: dict[str, str] = {}
        for node in self.tree.css(_NOTES):
            node.attrs["data-note"] = labels.setdefault(node.id or "", str(len(labels) + 1))
            for number in node.css(".label"):
                number.decompose()
        for link in self.tree.css("a[href]") if labels else ():
            label = labels.get((link.attrs["href"] or "").removeprefix("#"))
            if link.css_matches(_BACKLINKS):
                link.decompose()
            elif label:
                parent = link.parent
                alone = parent and parent.tag == "sup" and parent.text() == link.text()
                (parent if parent and alone else link).replace_with(self.keep(f"[^{label}]"))

    def link(self, base_url: str, links: Mapping[str, str]) -> None:
        """Make every address absolute, or what `links` says; one that runs code is no link."""
        for name in ("href", "src"):
            for node in self.css(f"[{name}]"):
                written = (node.attrs[name] or "").strip()
                address = _address(written, base_url, links)
                if name == "href" and _CODE.match(address):
                    node.unwrap()
                else:
                    node.attrs[name] = address

    def flatten_depths(self) -> None:
        """Take quotations and lists that are far inside of others for their text: each level is on each of their lines."""
        for query in ("blockquote", "ul, ol", "dl"):
            kept = {node.mem_id for node in self.nested(query)}
            for node in self.css(query) if len(kept) >= _DEEPEST else ():
                if node.mem_id not in kept:
                    node.unwrap()

    def quote_admonitions(self, words: Words) -> None:
        """Make each a GitHub alert, its own title in bold where it says more than the kind."""
        for node in self.nested(_ADMONITIONS):
            classes = (node.attrs.get("class") or "").lower().replace("markdown-alert-", "").split()
            kind = next((name for name in classes if name in KINDS), "note")
            title_node = node.css_first(_TITLES)
            title = " ".join(title_node.text().split()) if title_node else ""
            if title_node:
                title_node.decompose()
            is_own = title.lower() not in (
                "",
                *classes,
                *(words(name).lower() for name in classes if name in KINDS),
            )
            bold = f"<p><strong>{escape_html(title)}</strong></p>" if is_own else ""
            alert = self.keep(f"[!{KINDS[kind].upper()}]")
            node.replace_with(_element(f"<blockquote><p>{alert}</p>{bold}{node.inner_html}</blockquote>"))

    def write_definitions(self) -> None:
        """`**Term**: definition`, a paragraph each."""
        for node in self.nested("dl"):
            parts, terms = [], []
            groups = [group.iter() if group.tag == "div" else (group,) for group in node.iter()]
            for child in (child for group in groups for child in group if child.tag in ("dt", "dd")):
                if child.tag == "dt":
                    terms.append((child.inner_html or "").strip())
                    continue
                head = f"<strong>{', '.join(terms)}</strong>: " if terms else ""
                body, terms = child.inner_html or "", []
                parts.append(f"<p>{head}</p>{body}" if child.css_first(_BLOCKS) else f"<p>{head}{body}</p>")
            rest = f"<p><strong>{', '.join(terms)}</strong></p>" if terms else ""
            node.inner_html = "".join(parts) + rest

    def write_raised(self) -> None:
        """Keep `x²` apart from `x2`: in Unicode where it has the characters, else with a sign."""
        for tag, table, sign in (("sup", _RAISED, "^"), ("sub", _LOWERED, "_")):
            for node in self.css(tag):
                text = node.text()
                known = all(ord(char) in table for char in text)
                if self.mark not in text:
                    node.replace_with(text.translate(table) if known else f"{sign}{text}")

    def part_quotations(self) -> None:
        """Put a paragraph before each: the converter would write it on the line below what is above it."""
        for node in self.css("blockquote"):
            above = node.prev
            while above and above.is_text_node and not above.text().strip():
                above = above.prev
            if above:
                node.insert_before(_element(f"<p>{self.mark * 2}</p>"))

    def protect_text(self) -> None:
        """Put a backslash before what only some dialects read as a block's beginning."""
        if not _DIALECT.search(self.tree.text(separator="\n")):
            return
        body = self.tree.body
        texts = [node for node in body.traverse(include_text=True) if node.is_text_node] if body else []
        for node in texts:
            text = node.text()
            if _DIALECT.search(text) and not _is_within(node, "code"):
                node.replace_with(_DIALECT.sub(lambda found: self.keep("\\") + found[0], text))

    def finish(self) -> Prepared:
        notes = {int(node.attrs["data-note"] or 0): node.inner_html or "" for node in self.css("[data-note]")}
        for node in self.css("[data-note], .footnotes"):
            node.decompose()
        headings = self.tree.css("h1")
        for heading in headings[1:]:
            heading.replace_with(_element(f"<h2>{heading.inner_html}</h2>"))
        html = (self.tree.body.inner_html if self.tree.body else "") or ""
        in_order = tuple(notes[number] for number in sorted(notes))
        return Prepared(html, bool(headings), in_order, tuple(self.raw), self.mark)


def _panels(tabs: LexborNode, count: int) -> list[LexborNode]:
    """The panels that belong to a list of tabs: in the nearest element around both."""
    around = tabs.parent
    for _ in range(3):
        panels = around.css("[role=tabpanel], .tabbed-block") if around else []
        if len(panels) >= count or not around:
            return panels
        around = around.parent
    return []


def _element(html: str) -> LexborNode:
    body = LexborHTMLParser(html).body
    assert body and body.child, "the HTML is one element"
    return body.child


def _address(written: str, base_url: str, links: Mapping[str, str]) -> str:
    """`links` may know the address as written, absolute, or absolute without its fragment."""
    if written in links:
        return links[written]
    try:
        address = urljoin(base_url, written)
    except ValueError:
        return written
    page, fragment = urldefrag(address)
    known = links.get(address) or links.get(page, page)
    return known if address in links or not fragment else f"{known}#{fragment}"


def _is_within(node: LexborNode, *tags: str) -> bool:
    around = node.parent
    while around and around.tag not in tags:
        around = around.parent
    return bool(around)


KEYS = ("title", "description", "url", "date", "lastmod", "lang")
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


def from_html(
    main: str,
    *,
    base_url: str,
    links: Mapping[str, str],
    title: str = "",
    words: Words = str.capitalize,
) -> str:
    """Make a body of the HTML of a page's content: absolute links, intact code, one H1.

    `links` maps an address, as written or made absolute by `base_url`, to the one to write. Where there is no
    H1, `title` becomes it. `words` are those of its language, as of `MarkdownRenderer.render`.
    """
    prepared = prepare(_CONTROLS.sub("", main), base_url=base_url, links=links, words=words)
    body = _converted(prepared.html, prepared)
    for number, html in enumerate(prepared.notes, 1):
        note = _converted(html, prepared).strip()
        body += f"\n[^{number}]: " + re.sub(r"\n(?=[^\n])", "\n    ", note) + "\n"
    heading = f"# {escape(title)}\n\n" if title and not prepared.has_h1 else ""
    return heading + body


def _converted(html: str, prepared: Prepared) -> str:
    return prepared.restore(convert(html, _OPTIONS).content or "")


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
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", _JSON_TEXT(text))
