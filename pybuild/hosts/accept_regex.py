"""Accept weights as regexes, for hosts that have rules but no code.

Owns the regexes that read one range's weight from a field, and that of a path without escapes, in the syntax
PCRE and RE2 share; they want to be matched without regard to case. Knows no host. Two fields are read more
simply than `rules.negotiate` does: one with a quoted string counts as absent, and of one range given twice the
first weight counts.
Source: RFC 9110 §12.4.2, §12.5.1.
"""

from __future__ import annotations

_OWS = r"[ \t]*"
_CHAR = "!#$%&'*+.^_`|~0-9A-Za-z-"
_TYPE = f"(?:[{_CHAR.replace('*', '')}][{_CHAR}]*|\\*[{_CHAR}]+)/[{_CHAR}]+"
# Parameters before the weight: anything that does not start with "q=".
_PARAMETERS = rf"(?:;{_OWS}(?:[^q;, \t][^;,]*|q(?:[^=;,][^;,]*)?)?)*"
_END = rf"{_OWS}(?:;[^,]*)?"
_START = rf"(?:^|,){_OWS}"
_STOP = "(?:,|$)"
PLAIN = "[A-Za-z0-9._~!$&'()*+,;=:@/-]+"  # paths that are sent as they are (RFC 3986 §3.3)
RANGES = {"md": "text/markdown", "html": "text/html", "text": r"text/\*", "any": r"\*(?:/\*)?"}


def full(media_range: str) -> str:
    """A regex that finds the range with the weight 1, written or not."""
    return f"{_START}{media_range}{_OWS}{_PARAMETERS}(?:;{_OWS}q=1(?:\\.0*)?{_END})?{_STOP}"


def fraction(media_range: str, group: str) -> str:
    """A regex that finds the range with a weight below 1; `group` opens the group of its first digits."""
    weight = rf"(?:0?\.{group}[0-9]{{1,3}})[0-9]*|0\.?)"
    return f"{_START}{media_range}{_OWS}{_PARAMETERS};{_OWS}q={weight}{_END}{_STOP}"


def valid() -> str:
    """A regex that finds any member that can be read."""
    weight = rf"(?:;{_OWS}q=(?:1(?:\.0*)?|0?\.[0-9]+|0\.?){_END})?"
    return rf"{_START}(?:{_TYPE}|\*(?:/\*)?){_OWS}{_PARAMETERS}{weight}{_STOP}"


def greater(left: str, right: str) -> str:
    """A PCRE regex that tells whether one number of four digits is above another, by their first difference.

    `left` and `right` stand for what comes before each, such as "^" and ":".
    """
    digits = "|".join(f"{n}[0-9]*{right}\\g{{1}}[0-{n - 1}]" for n in range(1, 10))
    return f"{left}([0-9]{{0,3}})(?:{digits})[0-9]*"
