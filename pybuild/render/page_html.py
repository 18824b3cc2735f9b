"""What a parser of HTML finds in a page: its ids, and everything that a browser goes to or loads.

Owns the attributes that name addresses, also in head tags and styles. Judges nothing and knows no document.
Sources: HTML, §13.2.6 for what parsers make of tags; HTML, §4.8.4.2.1 for srcset, §4.2.4 for link types; ogp.me.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import chain, pairwise
from typing import NamedTuple
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from pybuild.language_tags import is_language_tag
from pybuild.records import LANGUAGE_NAMES
from pybuild.render.static_links import style_addresses

_ADDRESSES: Mapping[str, tuple[str, ...]] = {  # attributes that name what a browser goes to or loads
    "area": ("href",),
    "audio": ("src",),
    "button": ("formaction",),
    "embed": ("src",),
    "form": ("action",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src", "formaction"),
    "link": ("href", "imagesrcset"),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
_NAMED_META = ("og:url", "og:image", "og:video", "og:audio", "twitter:image")
_SAME = {"og:url": "canonical", "twitter:image": "og:image"}  # mostly made of the other
_OTHER_ORIGINS = frozenset({"dns-prefetch", "preconnect"})
_CODE = frozenset({"code", "pre", "script", "style", "template"})  # whose `lang` names none of people
NOWHERE = 0, 0
_ORDINARY = frozenset(  # elements that a parser leaves where they are written
    """a abbr article aside b body br button code details div em figcaption figure footer h1 h2 h3 h4 h5 h6 head header hr
    html i img input kbd label li link main mark meta nav ol p script section small span strong sub summary sup time title
    ul""".split()  # noqa: SIM905
)
_ONCE = ("html", "head", "body")  # of which a page has one
_SHORT = 2000  # characters of a line that is worth remembering
_RAW = ("script", "title")  # whose text ends at their own end tag
_PLAIN_TAG = re.compile(
    r"""([a-z][a-z0-9]*)((?:\s[a-z][a-z-]*(?:="[^"\r\0]*")?)*)(?:\s?/)?|/[a-z][a-z0-9]*|!(?:doctype|DOCTYPE) html"""
)
_ATTRIBUTE = re.compile(r'\s([a-z][a-z-]*)(?:="([^"]*)")?')
_ODD = re.compile(r"&(?!(?:amp|lt|gt|quot|#39|#34|#x27);)")  # a reference that attributes may read otherwise
_REFRESH = re.compile(  # HTML, §4.2.5.3, "refresh state"
    r"""\s*[0-9.]+[\s;,]\s*(?:url\s*=\s*)?(?:"([^"]+)|'([^']+)|(\S+))""", re.I
)
_BETWEEN = " \t\n\f\r,"
_CANDIDATE = re.compile(r"[\s,]*+(\S*[^\s,])(?:\s[^,]*)?(?:,|$)")


class Address(NamedTuple):
    """An address in a finished page, as it is written there."""

    text: str
    named: str = ""  # as in `Link`


@dataclass(frozen=True, slots=True)
class PageHtml:
    """What a parser of HTML finds in a page."""

    ids: tuple[str, ...]  # those that a link can name
    addresses: tuple[Address, ...]  # each once, in order
    document: tuple[int, int] = NOWHERE  # where the document lies that was not read with the page


def read_html(page: str) -> PageHtml:
    """Read the ids and the addresses of a page."""
    return read_with_base(page)[0]


def read_with_base(page: str) -> tuple[PageHtml, str]:
    """What a page has, and the address that its own are relative to, where it names one."""
    found, base = _read_tags(page) or _read_tree(page)
    ids = dict.fromkeys(chain.from_iterable([said.ids for said in found]))
    addresses = dict.fromkeys(chain.from_iterable([said.addresses for said in found]))
    for one in [one for one in addresses if one.named in _SAME]:
        if Address(one.text, _SAME[one.named]) in addresses:
            del addresses[one]
    if base:
        addresses = {
            one if one.named in LANGUAGE_NAMES else Address(urljoin(base, one.text), one.named): None
            for one in addresses
        }
    return PageHtml(tuple(ids), tuple(addresses)), base


class _Said(NamedTuple):
    """What an element has, or some of them."""

    ids: tuple[str, ...]
    addresses: tuple[Address, ...]
    once: tuple[str, ...] = ()  # which of `_ONCE` these are
    end: str = ""  # how its text must end, where that has no tags: `/title>`


_SILENT = _Said((), ())


def _read_tags(page: str) -> tuple[list[_Said], str] | None:
    """What the tags of a page have, read as text; None where a parser might make another tree of them.

    So it is only for plain tags of elements that are found in any place, as nearly all templates have: of all others the
    parser decides.
    """
    lines = page.split("\n")
    read = _said_by_line if max(map(len, lines)) < _SHORT else _said_by_text
    found = [said for said in map(read, lines) if said is not _SILENT]
    whole = (
        _said_by_text(page) if None in found else _joined(found)
    )  # an element may go over the end of a line
    return None if whole is None or len(whole.once) > len(set(whole.once)) else ([whole], "")


def _joined(found: Sequence[_Said | None]) -> _Said:
    """What some elements have together. Precondition: none is None."""
    if not found:
        return _SILENT
    ids, addresses, once, _ = map(chain.from_iterable, zip(*filter(None, found), strict=True))
    return _Said(tuple(ids), tuple(addresses), tuple(once))


def _said_by_text(text: str) -> _Said | None:
    """What the tags of whole elements have; None where a parser has to read them."""
    found = []
    parts = [*text.split("<")[1:], ""]  # each a tag and what is behind it
    for part, following in pairwise(parts):
        tag, end, _ = part.partition(">")
        said = _said_by_tag(tag) if end else None
        if said is None or not following.startswith(said.end):
            return None
        if said is not _SILENT:
            found.append(said)
    return _joined(found)


_said_by_line = lru_cache(maxsize=8192)(_said_by_text)  # most lines of templates are on many pages


@lru_cache(maxsize=8192)  # most tags are on many pages
def _said_by_tag(tag: str) -> _Said | None:
    """What a tag has by its text; None where a parser has to read it."""
    found = _PLAIN_TAG.fullmatch(tag)
    if found is None or (found[1] and found[1] not in _ORDINARY) or _ODD.search(tag):
        return None
    attributes: dict[str, str | None] = {}
    for key, value in _ATTRIBUTE.findall(found[2] or ""):
        attributes.setdefault(key, unescape(value))
    if "style" in attributes:
        return None
    name = found[1] or ""
    once, end = (name,) if name in _ONCE else (), f"/{name}>" if name in _RAW else ""
    made = _said_by(name, attributes)._replace(once=once, end=end)
    return made if any(made) else _SILENT


def _read_tree(page: str) -> tuple[list[_Said], str]:
    """What the elements of a page have, as a parser reads it."""
    found: list[_Said] = []
    base = ""
    root = LexborHTMLParser(page).root
    for node in root.traverse() if root else ():  # a selector costs more than looking at every element
        tag, attributes = node.tag or "", node.attributes
        if not attributes and tag != "style":
            continue
        found.append(_said_by(tag, attributes))
        if tag == "base":
            base = base or attributes.get("href") or ""
        if tag == "style" or "style" in attributes:
            style = node.text() if tag == "style" else attributes["style"] or ""
            found.append(_Said((), tuple(Address(address) for address, _ in style_addresses(style))))
    return found, base


def _said_by(tag: str, attributes: Mapping[str, str | None]) -> _Said:
    names = (attributes.get("id"), attributes.get("name") if tag == "a" else None)
    ids = tuple(ident for ident in names if ident and "\n" not in ident)
    code = attributes.get("lang")
    languages = [Address(code, "lang")] if code and tag not in _CODE and not is_language_tag(code) else []
    return _Said(ids, (*languages, *_addresses_of(tag, attributes)))


def _addresses_of(tag: str, attributes: Mapping[str, str | None]) -> Iterator[Address]:
    if tag == "a":
        if (href := attributes.get("href")) is not None:
            yield Address(href.strip())
        if (code := attributes.get("hreflang")) and not is_language_tag(code):
            yield Address(code, "hreflang")
        return
    if tag == "meta":
        named = attributes.get("property") or attributes.get("name") or ""
        if named in _NAMED_META:
            yield Address(attributes.get("content") or "", named)
        elif (attributes.get("http-equiv") or "").lower() == "refresh" and (
            found := _REFRESH.match(attributes.get("content") or "")
        ):
            yield Address(found[1] or found[2] or found[3])
        return
    relations = (attributes.get("rel") or "").lower().split() if tag == "link" else []
    named = "canonical" if "canonical" in relations else ""
    code = attributes.get("hreflang") if tag == "link" else ""
    if "alternate" in relations and code:
        named = f"hreflang {code}"
    if code and code != "x-default" and not is_language_tag(code):
        yield Address(code, "hreflang")
    if "alternate" in relations and attributes.get("type") == "text/markdown":
        return  # the page's own, which the site writes
    for name in _ADDRESSES.get(tag, ()):
        value = attributes.get(name)
        if value is None or not _OTHER_ORIGINS.isdisjoint(relations):
            continue
        if name.endswith("srcset"):
            yield from map(Address, _CANDIDATE.findall(value.rstrip(_BETWEEN)))
        else:
            yield Address(value.strip(), named)
