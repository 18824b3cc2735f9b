"""A request as a client sends it, and the conditions a rule may put to it.

Owns the decoding of a path and the meaning of `has` and `missing`. Knows no file and no answer.
Sources: RFC 9110 §5.3, RFC 6265 §4.2.1 (Cookie); RFC 3986 §5.2.4, §6.2.2; Next.js, "Header, Cookie, and Query Matching".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from pybuild.artifact import Headers
from pybuild.rules.model import Condition
from pybuild.rules.negotiate import negotiate
from pybuild.rules.regexes import to_python

# Backslashes, NUL, and segments of dots, which clients resolve themselves: answered with 400. No case.
REFUSED = r"\\|%00|(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|%2f|%5c|$)"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends."""

    target: str  # path and query as sent, percent-encoded: "/docs/a?x=1"
    method: str = "GET"
    headers: Headers = ()

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def lines(self, name: str) -> list[str]:
        """The values of all field lines of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name]


def decoded(sent: str) -> str | None:
    """Decode a path and merge its slashes; None for what no client of good faith sends."""
    if re.search(REFUSED, sent, re.I) or not re.fullmatch(r"/(?:[^%]|%[0-9A-Fa-f]{2})*", sent):
        return None
    return re.sub("/+", "/", unquote(sent, errors="surrogateescape"))


def holds(conditions: Iterable[Condition], request: Request) -> dict[str, str] | None:
    """Check that all conditions hold; maps the named groups of their regexes to what they took."""
    captures: dict[str, str] = {}
    for condition in conditions:
        value = _value(condition, request)
        if not value:
            return None
        found = re.fullmatch(to_python(condition.value) or ".*", value, re.ASCII | re.DOTALL)
        if found is None:
            return None
        captures |= {name: taken or "" for name, taken in found.groupdict().items()}
    return captures


def applies(
    has: Iterable[Condition], missing: Iterable[Condition], request: Request
) -> dict[str, str] | None:
    """Like `holds`, and none of `missing` may hold."""
    if any(holds((condition,), request) is not None for condition in missing):
        return None
    return holds(has, request)


def _value(condition: Condition, request: Request) -> str:
    """What the request says for a condition; of several values of a query name, the first."""
    if condition.type == "header":
        return ", ".join(request.lines(condition.key))
    if condition.type == "host":
        return re.sub(r":\d*$", "", next(iter(request.lines("host")), "")).lower()
    if condition.type == "query":
        pairs = (pair.partition("=") for pair in request.query.split("&"))
        return next((value for name, _, value in pairs if name == condition.key), "")
    if condition.type == "cookie":
        pairs = (pair.strip().partition("=") for line in request.lines("cookie") for pair in line.split(";"))
        return next((value for name, _, value in pairs if name == condition.key), "")
    wanted = {"text/markdown": "md", "text/html": "html"}[condition.key]
    return "yes" if negotiate(request.lines("accept")) == wanted else ""
