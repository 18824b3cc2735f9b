r"""The pattern language: sources such as `/docs/:slug*` and `:id(\d+)`, destinations such as `/docs/:slug`.

Owns the parsers, matching, the filling in of captured values, the check of regexes in the dialect that PCRE, RE2,
JavaScript and Python read alike, and the one printer of regexes that targets share. Knows no rule, no host and no file.
Text may be written decoded or percent-encoded. One slash at the end of an address does not count; letter case does.
Sources: Next.js, "redirects", "Path Matching"; path-to-regexp 6; RFC 3986 §3; the RE2 syntax page; pcre2pattern(3);
ECMA-262 §22.2; the re module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote

from pybuild.urls import encode


class PatternError(ValueError):
    """The text is no pattern; the message says what is wrong, `hint` what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


_REGEX_TOKEN = re.compile(
    r"""\\[dDwWsSbB]                            # classes and borders all four know
      | \\[^A-Za-z0-9\s]                        # an escaped sign
      | \[\^?(?:\\[dDwWsS]|\\[^A-Za-z0-9\s]|[^\]\[\\])+\]
      | \(\?<[A-Za-z_][A-Za-z0-9_]*>
      | \(\?:
      | \((?!\?)
      | [)|.^$]
      | (?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{])
      | [^\\\[\](){}|.^$*+?]
    """,
    re.X,
)


_LOOK = re.compile(r"\(\?<?!")


def _not_portable(regex: str, at: int) -> PatternError:
    if not (look := _LOOK.match(regex, at)):
        return PatternError(
            f'the regex "{regex}" is not portable from "{regex[at : at + 12]}" on',
            "use only what PCRE, RE2, JavaScript and Python share: "
            "no look-around, back-reference, possessive repeat or inline flag",
        )
    way = "behind" if "<" in look[0] else "ahead"
    hint = 'name the paths it is for, such as "/:section(guide|blog)/:path*", or write one rule for each'
    return PatternError(f'the regex "{regex}" looks {way}, which not every host can', hint)


def check_regex(regex: str) -> tuple[str, ...]:
    """Require the portable dialect and return the names of its `(?<name>…)` groups. Raises `PatternError`.

    Portable: literals, `.`, classes, `\\d \\w \\s \\b`, groups, alternation, greedy and lazy repeats up to
    999. Not: look-around, back-references, possessive or atomic parts, inline flags,
    `\\p`, `\\x`, POSIX classes.
    """
    at, names = 0, []
    while at < len(regex):
        token = _REGEX_TOKEN.match(regex, at)
        if token is None or not regex[at].isprintable():
            raise _not_portable(regex, at)
        if token[0].startswith("(?<"):
            names.append(token[0][3:-1])
        at = token.end()
    try:
        re.compile(to_python(regex))
    except re.error as fault:
        raise PatternError(
            f'the regex "{regex}" is broken: {fault}', "mend it, or write it without one"
        ) from fault
    return tuple(names)


def to_python(regex: str) -> str:
    """Spell the named groups as Python and RE2 do: `(?<a>x)` → `(?P<a>x)`."""
    return re.sub(r"(\\.)|\(\?<(?=[A-Za-z_])", lambda m: m[1] or "(?P<", regex)


_ATOM = re.compile(r"\\[^bB]|\[|\.|[^\\(){}|^$*+?]")  # what takes one character
QUERY_SIGNS = "&=+;#"  # have a meaning in a query that they have not in a path
Modifier = Literal["", "?", "*", "+"]
SEGMENT = "[^/]+?"  # what a parameter without a regex of its own takes
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
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
    prefix: str = ""  # the "/" that comes and goes with an optional or repeated value

    @property
    def is_optional(self) -> bool:
        return self.modifier in {"?", "*"}

    @property
    def repeats(self) -> bool:
        return self.modifier in {"*", "+"}

    @property
    def is_plain_in_query(self) -> bool:
        """Whether no value can hold a sign that separates parameters of a query: `[^/&=+;#]+`, `\\d+`."""
        atoms = (token[0] for token in _REGEX_TOKEN.finditer(self.regex) if _ATOM.match(token[0]))
        return not any(re.fullmatch(atom, sign) for atom in atoms for sign in QUERY_SIGNS)

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
        return self._match(_compiled(self.parts), url)

    def match_sent(self, path: str) -> dict[str, str] | None:
        """Match a path as it was sent: literal text percent-encoded as usual, values left as they came."""
        return self._match(_compiled_sent(self.parts), path)

    def _match(self, regex: re.Pattern[str], text: str) -> dict[str, str] | None:
        found = regex.fullmatch(text)
        if found is None:
            return None
        return {param.name: found[index] or "" for index, param in enumerate(self.params, 1)}


@lru_cache(maxsize=10_000)
def _compiled(parts: tuple[Text | Param, ...]) -> re.Pattern[str]:
    return re.compile(f"{print_regex(PathPattern('', parts))}/?", re.ASCII | re.DOTALL)


@lru_cache(maxsize=10_000)
def _compiled_sent(parts: tuple[Text | Param, ...]) -> re.Pattern[str]:
    regex = print_regex(PathPattern("", parts), literal=sent_literal)
    return re.compile(f"{regex}/?", re.ASCII | re.DOTALL)


def escape(text: str) -> str:
    """Escape text for a regex of the portable dialect: `a.b` → `a\\.b`."""
    return re.sub(r"[\\.^$*+?()\[\]{}|]", r"\\\g<0>", text)


def sent_literal(text: str) -> str:
    """A regex for literal text in a path as it was sent: encoded, or plain where clients send it so."""
    regexes = []
    for char in text:
        digits = "".join(f"%{octet:02X}" for octet in char.encode())
        encoded = re.sub("[A-F]", lambda digit: f"[{digit[0]}{digit[0].lower()}]", digits)
        if char == "/" or re.fullmatch(r"[A-Za-z0-9._~-]", char):
            regexes.append(escape(char))
        elif char.isascii() and char not in "%?# ":
            regexes.append(f"(?:{escape(char)}|{encoded})")
        else:
            regexes.append(encoded)
    return "".join(regexes)


def print_regex(
    pattern: PathPattern,
    *,
    literal: Callable[[str], str] = escape,
    group: Callable[[Param], str] = lambda param: f"({param.value_regex})",
    around: Callable[[Param], str] = lambda param: "(?:",
) -> str:
    """Print a pattern as a portable regex without anchors and without the slash that may end an address.

    `group` prints the group of a value; `around` opens the one about an optional value and its slash.
    """

    def one(part: Text | Param) -> str:
        if isinstance(part, Text):
            return literal(part.text)
        inner = literal(part.prefix) + group(part)
        return f"{around(part)}{inner})?" if part.is_optional else inner

    return "".join(one(part) for part in pattern.parts)


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
    parts = tuple(
        Text(literal_text(part.text, source)) if isinstance(part, Text) else part
        for part in _Scanner(source).parts()
    )
    pattern = PathPattern(source, parts)
    seen: set[str] = set()
    for param in pattern.params:
        if param.name in seen:
            raise PatternError(
                f'"{source}" names :{param.name} twice', "give each parameter a name of its own"
            )
        seen.add(param.name)
    return pattern


def literal_text(text: str, whole: str) -> str:
    """Decode the fixed text of an address. Raises `PatternError` for what only escapes can carry."""
    plain = unquote(text)
    if not plain.isprintable():
        raise PatternError(f'"{whole}" holds the escape of a control character', "delete it")
    return plain


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
        # a slash at the end of a source means nothing: `/a/` is `/a`
        last = found[-1] if found else None
        if isinstance(last, Text) and last.text.endswith("/") and (len(found) > 1 or last.text != "/"):
            return [*found[:-1], Text(last.text[:-1])] if last.text != "/" else found[:-1]
        return found

    def _next(self) -> Param | None:
        char = self.source[self.at]
        if char == "\\":
            if self.at + 1 == len(self.source):
                raise PatternError(f'"{self.source}" ends with a backslash', "delete it, or double it")
            self.text += self.source[self.at + 1]
            self.at += 2
        elif char == ":":
            name = NAME.match(self.source, self.at + 1)
            if name is None:
                hint = 'write a name after it, as in ":slug", or "\\\\:" for the sign itself'
                raise PatternError(f'":" in "{self.source}" has no name', hint)
            self.at = name.end()
            has_regex = self.source[self.at : self.at + 1] == "("
            return self._param(name[0], self._group() if has_regex else SEGMENT)
        elif char == "(":
            self.unnamed += 1
            return self._param(str(self.unnamed - 1), self._group())
        else:
            self._plain(char)
        return None

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

    def _group(self) -> str:
        """Take a balanced `(…)` and return what is in it."""
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
        if modifier and not self.text.endswith("/"):
            raise PatternError(
                f'":{name}{modifier}" in "{self.source}" must follow a "/"',
                "let an optional or repeated parameter have its segments for itself",
            )
        prefix = "/" if modifier else ""
        self.text = self.text.removesuffix(prefix) if prefix else self.text
        return Param(name, regex, modifier, prefix)


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
        """The query, without "?", with values in place that are encoded for a path already."""
        return _filled(self.query, {name: for_query(value) for name, value in captures.items()})


def for_query(value: str) -> str:
    """Encode a value of a path as a part of a query, where it stays one value: `a&b=c` → `a%26b%3Dc`."""
    return re.sub(f"[{QUERY_SIGNS}]", lambda sign: f"%{ord(sign[0]):02X}", value)


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
