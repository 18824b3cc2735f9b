"""Destinations of rules: `/docs/:slug`, `https://api.example/:path*?v=1`.

Owns their parser and the filling in of captured values. Knows no rule, no host and no file.
Sources: Next.js, "redirects"; RFC 3986 §3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from pybuild.rules.patterns import NAME, PathPattern, Text, literal_text
from pybuild.rules.regexes import PatternError
from pybuild.urls import encode


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a destination where a captured value goes."""

    name: str
    prefix: str = ""  # "/" that goes away with an empty value; only where the source has it optional


@dataclass(frozen=True, slots=True)
class Destination:
    """A parsed destination: `/docs/:slug`, `https://api.example/:path*?v=1#top`."""

    source: str  # as written
    origin: str  # "https://api.example:8080", or "" for a path of this site
    path: tuple[Text | Slot, ...]  # decoded, starts with "/"
    query: tuple[Text | Slot, ...] = ()  # encoded, without "?"
    fragment: str = ""  # encoded, without "#"

    @property
    def is_external(self) -> bool:
        return bool(self.origin)

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in (*self.path, *self.query) if isinstance(part, Slot))

    @property
    def literal(self) -> str | None:
        """The one decoded path it leads to, where it has no slots in it."""
        if any(isinstance(part, Slot) for part in self.path):
            return None
        return "".join(part.text for part in self.path if isinstance(part, Text))

    def bound(self, pattern: PathPattern) -> Destination:
        """The same destination for one source: a slash goes away only with a value that may be absent."""
        optional = {param.name for param in pattern.params if param.is_optional}
        return replace(self, path=tuple(_bound(self.path, optional)), query=tuple(_bound(self.query, set())))

    def fill(self, captures: Mapping[str, str]) -> str:
        """The decoded path with decoded values in place; `/` where nothing is left of it."""
        return _filled(self.path, captures) or "/"

    def fill_sent(self, captures: Mapping[str, str]) -> str:
        """The encoded path with values in place that are encoded already."""
        encoded = tuple(Text(encode(part.text)) if isinstance(part, Text) else part for part in self.path)
        return _filled(encoded, captures) or "/"

    def fill_query(self, captures: Mapping[str, str]) -> str:
        """The query, without "?", with values in place that are encoded already."""
        return _filled(self.query, captures)


def _bound(parts: tuple[Text | Slot, ...], optional: set[str]) -> Iterator[Text | Slot]:
    for part in parts:
        if isinstance(part, Slot) and part.prefix and part.name not in optional:
            yield from (Text(part.prefix), Slot(part.name))
        else:
            yield part


def _filled(parts: tuple[Text | Slot, ...], captures: Mapping[str, str]) -> str:
    def one(part: Text | Slot) -> str:
        if isinstance(part, Text):
            return part.text
        value = captures.get(part.name, "")
        return part.prefix + value if value else ""

    return "".join(one(part) for part in parts)


def parse_destination(text: str) -> Destination:
    """Parse a destination: a path of this site or an http(s) address. Raises `PatternError`."""
    found = re.match(r"(https?://[^/?#]+)?(/[^?#]*)?(\?[^#]*)?(#.*)?$", text)
    if found is None or not (found[1] or found[2]) or not text.isprintable():
        raise PatternError(
            f'"{text}" is no destination', 'write a path such as "/docs/:slug" or an https:// address'
        )
    if text.startswith(("//", "/\\")):
        raise PatternError(f'"{text}" leaves the site', 'write one "/" or the full https:// address')
    origin = found[1] or ""
    if re.search(r":(?!\d+$)|[@\\]", origin.partition("://")[2]):
        raise PatternError(
            f'the host in "{text}" is not fixed text', "write the host out; a visitor must not choose it"
        )
    return Destination(
        source=text,
        origin=origin,
        path=tuple(_spelled(_slots(found[2] or "/"), lambda part: literal_text(part, text))),
        query=tuple(_spelled(_slots((found[3] or "?")[1:]), _encoded)),
        fragment=_encoded((found[4] or "#")[1:]),
    )


def _spelled(parts: Iterable[Text | Slot], spell: Callable[[str], str]) -> Iterator[Text | Slot]:
    for part in parts:
        yield Text(spell(part.text)) if isinstance(part, Text) else part


def _encoded(text: str) -> str:
    """Encode what a URL cannot hold and leave escapes as they are."""
    return quote(text, safe="%/?:@!$&'()*+,;=~")


def _slots(text: str) -> tuple[Text | Slot, ...]:
    """Split text at its parameters; a "/" before one goes with the value."""
    parts: list[Text | Slot] = []
    plain, at = "", 0
    while at < len(text):
        name = NAME.match(text, at + 1) if text[at] == ":" else None
        if name:
            prefix = "/" if plain.endswith("/") else ""
            plain = plain.removesuffix("/")
            parts += [Text(plain)] if plain else []
            parts.append(Slot(name[0], prefix))
            plain, at = "", name.end() + (text[name.end() : name.end() + 1] in {"?", "*", "+"})
        else:
            at += text[at] == "\\" and at + 1 < len(text)
            plain, at = plain + text[at], at + 1
    return (*parts, Text(plain)) if plain else tuple(parts)
