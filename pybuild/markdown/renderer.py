"""Markdown to HTML, with what the rest of the program wants to know of a text.

Owns which Markdown is read, the HTML of headings, code, tables, tasks and footnotes, and what is read from
the tokens: links, headings, the first paragraph. Knows no page, no URL and no file: links are given to the
caller's `resolve`.
Sources: CommonMark 0.31.2; GitHub Flavored Markdown 0.29 §4.10, §5.3, §6.5, §6.9; PHP Markdown Extra
(definition lists, footnotes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml, unescapeAll
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from pybuild.config.loader import Markdown
from pybuild.markdown.admonitions import admonitions
from pybuild.markdown.autolinks import autolinks
from pybuild.markdown.code import highlight
from pybuild.markdown.heading_ids import Anchors, slug
from pybuild.markdown.source_spans import SourceMap, new_env, note_destinations, outline_of

EXCERPT = 200  # characters
MAX_NESTING = 60  # levels of blocks or of inline markup; what is deeper is left out or stays text
_CUSTOM_ID = re.compile(r"([A-Za-z][\w.:-]*)\}[ \t]*")  # behind "{#"
_LANGUAGE = re.compile(r"\{?\.?([^\s{}:,\"'=]+)(?=[\s{}:,]|\Z)")
_MARK = re.compile(r"\[\^[^\s\]]{1,200}\]")
_HTML_ID = re.compile(r"<(?:a\s(?:[^<>]*?\s)?(?:id|name)|[a-z][^<>]*?\sid)\s*=\s*[\"']?([^\s\"'<>]+)", re.I)

Resolve = Callable[[str, int, bool], str]
"""Takes a destination (percent-encoded, escapes decoded), its file line and whether it is an image's."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with those below it."""

    id: str
    text: str  # plain
    level: int  # 1 to 6
    children: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A destination as the text has it: percent-encoded, entities and backslashes decoded."""

    href: str
    line: int  # in the file, 1-based


@dataclass(frozen=True, slots=True)
class MarkdownResult:
    """One text, rendered."""

    html: str
    toc: tuple[Heading, ...]  # level 2 to `toc_depth`, nested
    links: tuple[FoundLink, ...]  # images too, in order of appearance
    title: str | None  # plain text of the first H1
    has_h1: bool  # the text begins with an H1
    excerpt: str  # plain text of the first paragraph, at most 200 characters, cut at a word
    anchors: tuple[str, ...]  # every id in `html`
    outline: SourceMap  # where the source can be edited for the variant


class MarkdownRenderer:
    """Renders many texts with one configured parser. Not for use by two threads at once."""

    def __init__(self, settings: Markdown, *, permalink: str = "Permalink") -> None:
        """`permalink` names the link beside each heading for those who cannot see it."""
        self.depth = settings.toc_depth
        self.permalink = permalink
        self.parser = make_parser(html=settings.html)
        rules = self.parser.renderer.rules  # type: ignore[attr-defined]
        rules["fence"] = rules["code_block"] = partial(_code, settings.highlight)
        rules["footnote_block_open"] = _footnotes
        rules["footnote_caption"] = _caption

    def render(self, text: str, *, resolve: Resolve, line_offset: int = 0) -> MarkdownResult:
        """Render one text. `line_offset` lines of the file stand above it."""
        env = new_env()
        tokens = self.parser.parse(text, env)
        outline = outline_of(tokens, env)
        headings = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
        titles = [plain(tokens[i + 1]) for i in headings if tokens[i].tag == "h1"]
        excerpt = _excerpt(tokens)
        links = tuple(_resolve_links(tokens, resolve, line_offset))
        found, anchors = _anchor(tokens, headings, self.permalink)
        _label_tasks(tokens)
        return MarkdownResult(
            html=self.parser.renderer.render(tokens, self.parser.options, env),
            toc=tree([heading for heading in found if 2 <= heading.level <= self.depth]),
            links=links,
            title=titles[0] if titles else None,
            has_h1=bool(tokens) and tokens[0].tag == "h1",
            excerpt=excerpt,
            anchors=anchors,
            outline=outline,
        )


def make_parser(*, html: bool) -> MarkdownIt:
    """Configure the parser that reads all of a site's Markdown."""
    options = {"html": html, "xhtmlOut": False, "maxNesting": MAX_NESTING, "tasklists": True}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False).use(deflist_plugin)
    parser.use(admonitions).use(autolinks).use(note_destinations)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    parser.add_render_rule("list_item_open", _list_item)
    parser.inline.ruler.at("footnote_ref", _footnote_reference)
    return parser


def plain(token: Token) -> str:
    """The text of an inline token without markup, with an image's description and without footnote marks."""
    return " ".join("".join(_words(token.children or ())).split())


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "code_inline"):
            yield token.content
        elif token.type == "image":
            yield from _words(token.children or ())
        elif token.type in ("softbreak", "hardbreak"):
            yield " "


def _excerpt(tokens: list[Token]) -> str:
    """The first paragraph of the text itself, not one of a list or a quotation."""
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open" and opening.level == 0 and (text := plain(inline)):
            return shortened(text)
    return ""


def shortened(text: str) -> str:
    """Text of at most `EXCERPT` characters, cut at a word."""
    if len(text) <= EXCERPT:
        return text
    head = text[:EXCERPT]
    cut = head.rfind(" ")
    return head[: cut if cut > EXCERPT // 2 else EXCERPT - 1].rstrip(" ,;:–—-") + "…"


def _resolve_links(tokens: list[Token], resolve: Resolve, offset: int) -> Iterator[FoundLink]:
    """Let `resolve` write every destination, and yield them as they stood."""
    for token in tokens:
        if token.type == "inline" and token.children:
            line = offset + (token.map[0] if token.map else 0) + 1
            yield from _resolve_inline(token.children, resolve, line)


def _resolve_inline(tokens: list[Token], resolve: Resolve, line: int) -> Iterator[FoundLink]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            line += 1
        name = {"link_open": "href", "image": "src"}.get(token.type)
        if name:
            href = str(token.attrs[name])
            yield FoundLink(href, line)
            token.attrs[name] = resolve(href, line, token.type == "image")


def _anchor(
    tokens: list[Token], headings: list[int], permalink: str
) -> tuple[list[Heading], tuple[str, ...]]:
    """Give every heading an id and a link to itself. A `{#id}` at its end is preferred to its slug."""
    anchors = Anchors(_other_ids(tokens))
    custom = {i: wanted for i in headings if (wanted := _take_custom_id(tokens[i + 1]))}
    given = {i: anchors.claim(wanted) for i, wanted in custom.items()}
    found = []
    for i in headings:
        text = plain(tokens[i + 1])
        ident = given.get(i) or anchors.claim(slug(text))
        tokens[i].attrs["id"] = ident
        found.append(Heading(ident, text, int(tokens[i].tag[1])))
        label = escapeHtml(f"{permalink}: {text}" if text else permalink)
        link = f' <a class="anchor" href="#{escapeHtml(ident)}" aria-label="{label}">#</a>'
        tokens[i + 1].children = [*(tokens[i + 1].children or ()), Token("html_inline", "", 0, content=link)]
    return found, tuple(anchors.ids)


def _take_custom_id(inline: Token) -> str:
    last = inline.children[-1] if inline.children else None
    found = _CUSTOM_ID.fullmatch(
        inline.content.rpartition("{#")[2]
    )  # in the source, where "#" may be escaped
    if not found or not last or last.type != "text":
        return ""
    text, mark, _ = last.content.rpartition("{#")
    if not mark:
        return ""
    last.content = text.rstrip()
    return found[1]


def _other_ids(tokens: list[Token]) -> Iterator[str]:
    """The ids of footnotes, and those in raw HTML."""
    for token in tokens:
        if token.type == "footnote_open":
            yield f"fn{token.meta['id'] + 1}"
        elif token.type == "footnote_anchor":
            again = f":{token.meta['subId']}" if token.meta["subId"] > 0 else ""
            yield f"fnref{token.meta['id'] + 1}{again}"
        elif token.type == "html_block":
            yield from _HTML_ID.findall(token.content)
        for child in token.children or ():
            if child.type == "html_inline":
                yield from _HTML_ID.findall(child.content)


def tree(headings: list[Heading]) -> tuple[Heading, ...]:
    """Nest a flat list by level: `h2 h3 h2` → `(h2(h3), h2)`. A level that is skipped nests all the same."""
    out, i = [], 0
    while i < len(headings):
        own, i = headings[i], i + 1
        end = i
        while end < len(headings) and headings[end].level > own.level:
            end += 1
        out.append(Heading(own.id, own.text, own.level, tree(headings[i:end])))
        i = end
    return tuple(out)


def _label_tasks(tokens: list[Token]) -> None:
    """Put a task's box and its words into one label."""
    for i, token in enumerate(tokens):
        if token.type == "list_item_open" and "checked" in token.meta and i + 2 < len(tokens):
            checked = " checked" if token.meta["checked"] else ""
            inline = tokens[i + 2]
            if tokens[i + 1].type != "paragraph_open":
                token.meta["box"] = f'<input type="checkbox" disabled{checked} aria-label="{_state(token)}">'
                continue
            box = Token("html_inline", "", 0, content=f'<label><input type="checkbox" disabled{checked}> ')
            close = Token("html_inline", "", 0, content="</label>")
            inline.children = [box, *(inline.children or ()), close]


def _state(token: Token) -> str:
    return "[x]" if token.meta["checked"] else "[ ]"


def _list_item(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    opening: str = self.renderToken(tokens, index, options, env)
    return opening + str(tokens[index].meta.get("box", ""))


def _table_open(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A wide table scrolls in its own box, which the keyboard reaches."""
    return '<div class="table-wrap" tabindex="0">\n<table>\n'


def _table_close(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table>\n</div>\n"


def _code(is_highlighted: bool, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Write a fence or an indented block; `pre` takes the focus so that the keyboard can scroll it."""
    token = tokens[index]
    return code_block(token.content, unescapeAll(token.info), is_highlighted=is_highlighted)


def code_block(code: str, info: str, *, is_highlighted: bool) -> str:
    """Write a block of code whose fence says `info`."""
    found = _LANGUAGE.match(info.strip()) if info else None
    language = found[1] if found else ""
    inner = highlight(code, language if is_highlighted else "")
    name = f' class="language-{escapeHtml(language)}"' if language else ""
    return f'<pre class="highlight" tabindex="0"><code{name}>{inner}</code></pre>\n'


def _footnotes(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return '<section class="footnotes" role="doc-endnotes">\n<ol>\n'


def _caption(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f"[{tokens[index].meta['id'] + 1}]"


def _footnote_reference(state: StateInline, silent: bool) -> bool:
    """Look for a footnote's mark only where one ends nearby: the plugin's own search is quadratic."""
    return bool(_MARK.match(state.src, state.pos, state.posMax)) and footnote_ref(state, silent)
