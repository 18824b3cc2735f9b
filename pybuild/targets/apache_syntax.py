"""Apache httpd: how a directive, a rewrite rule and a header format are written.

Owns the quoting, which differs between mod_rewrite and all the rest. Knows no more of a site than its conditions.
Sources: httpd.apache.org/docs/2.4: configuring, mod_rewrite, mod_headers, expr.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybuild.rules.model import Condition
from pybuild.rules.patterns import escape

Lines = Iterator[str]


def quoted(text: str) -> str:
    """One argument of a directive. Precondition: no "${" in it but in regexes, where it is escaped."""
    assert text.isprintable(), "control characters are refused before rules are compiled"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def formatted(text: str) -> str:
    """Literal text for a value of mod_headers, which reads formats and escapes such as "\\n" in it."""
    return text.replace("\\", "\\\\").replace("%", "%%")


def unescaped(text: str) -> str:
    """One argument of mod_rewrite, which knows quotes but no escapes inside them."""
    assert text.isprintable() and '"' not in text, "refused before rules are compiled"
    return f'"{text}"'


def plain(text: str) -> str:
    """Literal text for a place where mod_rewrite expands variables and back-references."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("$", "\\$")


def rule(flags: str, *conditions: tuple[str, str] | tuple[str, str, str], to: str = "-") -> Lines:
    """A rule under conditions: test string, pattern and, where needed, flags."""
    for test, pattern, *more in conditions:
        regex = pattern.replace('"', r"\x22")
        yield f"RewriteCond {unescaped(test)} {unescaped(regex)}{' [' + more[0] + ']' if more else ''}"
    yield f"RewriteRule ^ {unescaped(to)} [{flags}]"


def env(name: str) -> str:
    return f"%{{ENV:PB_{name}}}"


def given(name: str, value: str = "1") -> str:
    """An expression: the variable has this value, also after an internal redirect."""
    return f"expr=reqenv('PB_{name}') == '{value}' || reqenv('REDIRECT_PB_{name}') == '{value}'"


def met(condition: Condition) -> tuple[str, str, str]:
    """The test string, pattern and flags that tell whether a condition holds."""
    name, value = escape(condition.key), f"(?:{condition.value})" if condition.value else ""
    if condition.type == "accept":
        wanted = {"text/markdown": "md", "text/html": "html"}[condition.key]
        return env("REP"), f"^{wanted}$", "NV"
    if condition.type == "cookie":
        start = rf"^(?:(?! *{name}=)[^;]*;)* *{name}=(?=[^;])"
        return "%{HTTP:Cookie}", f"{start}{value or '[^;]*'}(?:;|$)", "NV"
    if condition.type == "query":
        start = rf"^(?:(?!{name}=)[^&]*&)*{name}=(?=[^&])"
        return "%{QUERY_STRING}", f"{start}{value or '[^&]*'}(?:&|$)", "NV"
    if condition.type == "host":
        return "%{HTTP:Host}", rf"^(?=.){value}(?::[0-9]*)?$", "NC,NV"
    return f"%{{HTTP:{condition.key}}}", f"^(?=.){value or '.*'}$", "NV"
