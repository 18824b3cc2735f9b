"""Bare addresses in Markdown text become links.

Owns the extended autolinks of GFM for `http://`, `https://` and `www.`, in time linear in the text. Mail
addresses stay text. Knows no site and no page.
Source of truth: GitHub Flavored Markdown Spec 0.29 §6.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_ADDRESS = re.compile(
    r"""(?<![^\W_])(?<![@/:.=-])
        (?:https?://[\w-]+(?:\.[\w-]+)*|www\.[\w-]+(?:\.[\w-]+)+)
        (?::[0-9]{1,5})?(?:[/?\#][^\s<]*)?""",
    re.X | re.I,
)
_ENTITY = re.compile(r"&[A-Za-z0-9]{1,32};\Z")
_CLOSERS = "?!.,:*_~'\""


def autolinks(md: MarkdownIt) -> None:
    """A markdown-it plugin: link bare addresses after inline parsing."""
    md.core.ruler.after("inline", "pybuild_autolinks", _link_all)


def _link_all(state: StateCore) -> None:
    for token in state.tokens:
        children = token.children
        if children and ("://" in token.content or "www." in token.content):
            token.children = [part for child in _with_depth(children) for part in _linked(state.md, *child)]


def _with_depth(tokens: list[Token]) -> Iterator[tuple[Token, bool]]:
    """Each token, and whether it stands inside a link."""
    depth = 0
    for token in tokens:
        if token.type == "link_open" or (token.type == "html_inline" and token.content[:3].lower() == "<a "):
            depth += 1
        elif token.type == "link_close" or (token.type == "html_inline" and token.content.lower() == "</a>"):
            depth -= 1
        yield token, depth > 0


def _linked(md: MarkdownIt, token: Token, in_link: bool) -> Iterator[Token]:
    """The token itself, or its text cut at the addresses in it."""
    if in_link or token.type != "text":
        yield token
        return
    end = 0
    for start, address, href in addresses(token.content, md):
        yield _text(token.content[end:start])
        yield Token("link_open", "a", 1, attrs={"href": href}, markup="linkify", info="auto")
        yield _text(address)
        yield Token("link_close", "a", -1, markup="linkify", info="auto")
        end = start + len(address)
    yield _text(token.content[end:])


def addresses(text: str, md: MarkdownIt) -> Iterator[tuple[int, str, str]]:
    """Find bare addresses: where each begins, how it is written, and its href."""
    for found in _ADDRESS.finditer(text):
        address = trimmed(found[0])
        href = md.normalizeLink(address if "://" in address else f"http://{address}")
        if address and md.validateLink(href):
            yield found.start(), address, href


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def trimmed(address: str) -> str:
    """Drop what ends the sentence rather than the address: `https://a.example/x).` → `https://a.example/x`."""
    surplus = address.count(")") - address.count("(")
    while address:
        if address[-1] in _CLOSERS:
            address = address.rstrip(_CLOSERS)
        elif address[-1] == ")" and surplus > 0:
            kept = address.rstrip(")")
            kept += ")" * max(0, len(address) - len(kept) - surplus)
            surplus -= len(address) - len(kept)
            address = kept
        elif address[-1] == ";" and (entity := _ENTITY.search(address, max(0, len(address) - 34))):
            address = address[: entity.start()]
        elif address[-1] == ";":
            address = address[:-1]
        else:
            break
    return address
