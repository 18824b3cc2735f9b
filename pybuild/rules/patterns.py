"""The pattern language of rules: `/docs/:slug*`, `:id(\\d+)`, and the regexes inside it.

Owns the one parser of sources and destinations, the check that a regex means the same in PCRE, RE2,
JavaScript and Python, matching, and filling. Knows no rule, no host and no file.
Sources: Next.js, "redirects", "Path Matching"; path-to-regexp 6; the RE2 syntax page.

A source is matched against the decoded path; one slash at its end does not count. Letter case counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pybuild.rules.regexes import PatternError, check_regex

Modifier = Literal["", "?", "*", "+"]
SEGMENT = "[^/]+?"  # what a parameter without a regex of its own takes
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODIFIERS: Mapping[str, Modifier] = {"?": "?", "*": "*", "+": "+"}


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text, decoded, without escapes."""

    text: str


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a source."""

    name: str  # unnamed groups are called "0", "1", …
    regex: str = SEGMENT  # portable, without capturing groups
    modifier: Modifier = ""
    prefix: str = ""  # "/" or "." that comes and goes with an optional or repeated value

    @property
    def is_optional(self) -> bool:
        return self.modifier in {"?", "*"}

    @property
    def repeats(self) -> bool:
        return self.modifier in {"*", "+"}

    @property
    def value_regex(self) -> str:
        """The regex of the whole value, without its prefix and without groups that capture."""
        once = self.regex if self.regex == SEGMENT else f"(?:{self.regex})"
        return f"{once}(?:{re.escape(self.prefix)}{once})*" if self.repeats else once


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A parsed source."""

    source: str  # as written
    parts: tuple[Text | Param, ...]

    @property
    def params(self) -> tuple[Param, ...]:
        return tuple(part for part in self.parts if isinstance(part, Param))

    @property
    def names(self) -> tuple[str, ...]:
        """The names a destination may use."""
        return tuple(param.name for param in self.params if not param.name.isdecimal())

    @property
    def literal(self) -> str | None:
        """The one path it matches, where it has no parameters."""
        return None if self.params else "".join(part.text for part in self.parts if isinstance(part, Text))

    def match(self, url: str) -> dict[str, str] | None:
        """Match a decoded path; maps each parameter to its value, "" where an optional one is absent."""
        found = re.fullmatch(self._python(), _without_slash(url), re.ASCII | re.DOTALL)
        if found is None:
            return None
        return {param.name: found[index] or "" for index, param in enumerate(self.params, 1)}

    def _python(self) -> str:
        return "".join(
            re.escape(part.text) if isinstance(part, Text) else _python_param(part) for part in self.parts
        )


def _python_param(param: Param) -> str:
    inner = f"{re.escape(param.prefix)}({param.value_regex})"
    return f"(?:{inner})?" if param.is_optional else inner


def _without_slash(url: str) -> str:
    return url[:-1] if len(url) > 1 and url.endswith("/") else url


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a destination where a captured value goes."""

    name: str
    prefix: str = ""  # "/" that goes away with an empty value


@dataclass(frozen=True, slots=True)
class Destination:
    """A parsed destination: `/docs/:slug`, `https://api.example/:path*?v=1#top`."""

    source: str  # as written
    origin: str  # "https://api.example:8080", or "" for a path of this site
    path: tuple[Text | Slot, ...]  # decoded, starts with "/"
    query: tuple[Text | Slot, ...] = ()  # its text is encoded as written, without "?"
    fragment: str = ""  # as written, without "#"

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

    def fill(self, captures: Mapping[str, str]) -> str:
        """The decoded path with the captured values in place; `/` where nothing is left of it."""
        return _filled(self.path, captures) or "/"


def _filled(parts: tuple[Text | Slot, ...], captures: Mapping[str, str]) -> str:
    def one(part: Text | Slot) -> str:
        if isinstance(part, Text):
            return part.text
        value = captures.get(part.name, "")
        return part.prefix + value if value else ""

    return "".join(one(part) for part in parts)


def parse_pattern(source: str) -> PathPattern:
    """Parse a source. Raises `PatternError`."""
    if not source.startswith("/"):
        external = "://" in source
        hint = (
            'write the path and add has = [{ type = "host", value = "…" }]'
            if external
            else f'write "/{source}"'
        )
        raise PatternError(f'source must start with "/": "{source}"', hint)
    parts = tuple(_Scanner(source).parts())
    pattern = PathPattern(source, parts)
    seen: set[str] = set()
    for param in pattern.params:
        if param.name in seen:
            raise PatternError(
                f'"{source}" names :{param.name} twice', "give each parameter a name of its own"
            )
        seen.add(param.name)
    return pattern


class _Scanner:
    """Walks over a source once."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.text = ""
        self.unnamed = 0

    def parts(self) -> list[Text | Param]:
        found: list[Text | Param] = []
        while self.at < len(self.source):
            param = self._next()
            if param is not None:
                found += [Text(self.text)] if self.text else []
                found.append(param)
                self.text = ""
        found += [Text(self.text)] if self.text else []
        return _without_final_slash(found)

    def _next(self) -> Param | None:
        char = self.source[self.at]
        if char == "\\":
            self._escape()
        elif char == ":":
            return self._named()
        elif char == "(":
            self.unnamed += 1
            return self._param(str(self.unnamed - 1), self._group())
        else:
            self._plain(char)
        return None

    def _escape(self) -> None:
        if self.at + 1 == len(self.source):
            raise PatternError(f'"{self.source}" ends with a backslash', "delete it, or double it")
        self.text += self.source[self.at + 1]
        self.at += 2

    def _plain(self, char: str) -> None:
        if char in "*+{})":
            hint = (
                'write ":path*" for any number of segments'
                if char == "*"
                else f'write "\\\\{char}" for the sign itself'
            )
            raise PatternError(f'"{char}" in "{self.source}" has no parameter before it', hint)
        if char in "?#":
            hint = (
                'match the query with has = [{ type = "query", key = "…" }]' if char == "?" else "delete it"
            )
            raise PatternError(f'"{self.source}" holds "{char}"; a source is a path alone', hint)
        if not char.isprintable():
            raise PatternError(f"{self.source!r} holds a control character", "delete it")
        self.text += char
        self.at += 1

    def _named(self) -> Param:
        name = _NAME.match(self.source, self.at + 1)
        if name is None:
            hint = 'write a name after it, as in ":slug", or "\\\\:" for the sign itself'
            raise PatternError(f'":" in "{self.source}" has no name', hint)
        self.at = name.end()
        has_regex = self.source[self.at : self.at + 1] == "("
        return self._param(name[0], self._group() if has_regex else SEGMENT)

    def _group(self) -> str:
        """Take a balanced `(…)` and return what stands in it."""
        start, depth, in_class = self.at, 0, False
        while self.at < len(self.source):
            char = self.source[self.at]
            self.at += 2 if char == "\\" else 1
            if in_class or char == "[":
                in_class = char != "]"
            elif char in "()":
                depth += 1 if char == "(" else -1
                if depth == 0:
                    return self._checked(self.source[start + 1 : self.at - 1])
        raise PatternError(f'a "(" in "{self.source}" is never closed', 'add ")"')

    def _checked(self, regex: str) -> str:
        groups = check_regex(regex)
        if groups or re.compile(regex).groups:
            raise PatternError(
                f'"({regex})" captures inside a parameter', 'write "(?:…)" for the inner group'
            )
        if re.search(r"(?<!\\)(?:\\\\)*(?<!\[)[\^$]", re.sub(r"\[\^", "[", regex)):
            raise PatternError(
                f'"({regex})" holds an anchor', 'delete "^" and "$"; a value is matched as a whole'
            )
        return regex

    def _param(self, name: str, regex: str) -> Param:
        modifier: Modifier = _MODIFIERS.get(self.source[self.at : self.at + 1], "")
        self.at += len(modifier)
        prefix = ""
        if modifier and self.text[-1:] in {"/", "."} and (modifier == "?" or self.text[-1:] == "/"):
            prefix, self.text = self.text[-1], self.text[:-1]
        if modifier in {"*", "+"} and not prefix:
            raise PatternError(
                f'":{name}{modifier}" in "{self.source}" must follow a "/"',
                "let the repeated parameter have its segments for itself",
            )
        return Param(name, regex, modifier, prefix)


def _without_final_slash(parts: list[Text | Param]) -> list[Text | Param]:
    """A slash at the end of a source means nothing: `/a/` is `/a`."""
    last = parts[-1] if parts else None
    if isinstance(last, Text) and last.text.endswith("/") and (len(parts) > 1 or last.text != "/"):
        return [*parts[:-1], Text(last.text[:-1])] if last.text != "/" else parts[:-1]
    return parts


def parse_destination(text: str) -> Destination:
    """Parse a destination: a path of this site or an http(s) address. Raises `PatternError`."""
    found = re.match(r"(https?://[^/?#]+)?(/[^?#]*)?(\?[^#]*)?(#.*)?$", text)
    if found is None or not (found[1] or found[2]) or not text.isprintable() or " " in text:
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
        path=_slots(found[2] or "/"),
        query=_slots((found[3] or "?")[1:]),
        fragment=(found[4] or "#")[1:],
    )


def _slots(text: str) -> tuple[Text | Slot, ...]:
    """Split text at its parameters; a "/" before one goes with the value."""
    parts: list[Text | Slot] = []
    plain, at = "", 0
    while at < len(text):
        name = _NAME.match(text, at + 1) if text[at] == ":" else None
        if name:
            prefix = "/" if plain.endswith("/") else ""
            plain = plain.removesuffix("/")
            parts += [Text(plain)] if plain else []
            parts.append(Slot(name[0], prefix))
            plain, at = "", name.end() + (text[name.end() : name.end() + 1] in _MODIFIERS)
        else:
            at += text[at] == "\\" and at + 1 < len(text)
            plain, at = plain + text[at], at + 1
    return (*parts, Text(plain)) if plain else tuple(parts)
