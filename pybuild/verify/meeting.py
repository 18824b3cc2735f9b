"""A visitor for whom the conditions of a rule hold.

Owns the values that are tried for a condition. Knows no host and no file.
Source: docs/rules.md, "Conditions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from pybuild.artifact import Headers
from pybuild.rules.model import Condition
from pybuild.rules.regexes import to_python

VALUES = ("verify", "1", "12", "2026", "a", "x-1", "en", "a/b", "on", "true", "yes")
_ANYTHING = re.compile(r"\((?:\?<\w+>|\?:)?\.[*+]\??\)|\.[*+]\??")


def meeting(conditions: Iterable[Condition]) -> tuple[str, Headers] | None:
    """The query and the headers of such a visitor; None for a condition on the host, or where no value is known."""
    queries, cookies, headers = [], [], []
    for condition in conditions:
        value = _value(condition)
        if value is None or condition.type == "host":
            return None
        if condition.type == "query":
            queries.append(f"{quote(condition.key)}={quote(value)}")
        elif condition.type == "cookie":
            cookies.append(f"{condition.key}={value}")
        else:
            headers.append(("Accept" if condition.type == "accept" else condition.key, value))
    if cookies:
        headers.append(("Cookie", "; ".join(cookies)))
    return "&".join(queries), tuple(headers)


def _value(condition: Condition) -> str | None:
    """The first value that the condition takes: its own text without what stands for anything, else a usual one."""
    if condition.type == "accept":
        return condition.key
    plain = re.sub(r"\\(\W)", r"\1", _ANYTHING.sub("", condition.value))
    wanted = re.compile(to_python(condition.value) or ".+", re.ASCII | re.DOTALL)
    sendable = (v for v in (plain, *VALUES) if v and v.isascii() and v.isprintable() and ";" not in v)
    return next((value for value in sendable if wanted.fullmatch(value)), None)
