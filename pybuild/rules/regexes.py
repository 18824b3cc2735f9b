"""The dialect of regexes that PCRE, RE2, JavaScript and Python read alike.

Owns the check of a regex and its spelling where dialects differ. Knows no pattern and no rule.
Sources: the RE2 syntax page; pcre2pattern(3); ECMA-262 §22.2; the re module.
"""

from __future__ import annotations

import re


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
            raise PatternError(
                f'the regex "{regex}" is not portable from "{regex[at : at + 12]}" on',
                "use only what PCRE, RE2, JavaScript and Python share: "
                "no look-around, back-reference, possessive repeat or inline flag",
            )
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
