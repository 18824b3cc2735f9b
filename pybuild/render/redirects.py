"""Redirects that a module of the site lists: `redirects = "redirects.py"`.

Owns calling `redirects()` and reading what it returns, in the shape of `[[redirects]]` or of Next.js. Knows no host.
Source: Next.js 16, "redirects"; docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pybuild.config.redirect_file import renamed
from pybuild.config.rules import parse_rules
from pybuild.diagnostics import Diagnostic, Location
from pybuild.render.user_code import SiteCode, Stop, kind_of
from pybuild.rules.model import Rule

_HINT = 'return [{"source": "/old/:slug", "destination": "/docs/:slug", "permanent": True}]'


@dataclass(frozen=True, slots=True)
class Listed:
    """The redirects of a module, in its order."""

    rules: tuple[Rule, ...] = ()
    findings: tuple[Diagnostic, ...] = ()


def listed_redirects(code: SiteCode, file: str) -> Listed:
    """Call `redirects()` of a module.

    Findings: `import-error`, `unknown-export`, `handler-error`, `bad-response`; for each redirect those of `[[redirects]]`.
    """
    at = Location(file, 1)
    try:
        function = getattr(code.load(file), "redirects", None)
        if not callable(function):
            message = f"{file} defines no redirects()"
            return Listed(findings=(Diagnostic("unknown-export", message, at, f"define it, and {_HINT}"),))
        made = getattr(function, "__code__", None)
        at = Location(file, made.co_firstlineno) if made and code.relative(made.co_filename) == file else at
        with code.guard("handler-error", at, f"redirects() of {file}"):
            returned = code.call(function)
            items = None if isinstance(returned, str | bytes | Mapping) else list(returned)
    except Stop as stop:
        return Listed(findings=stop.findings)
    if items is None:
        message = f"redirects() of {file} returned {kind_of(returned)}, not a list"
        return Listed(findings=(Diagnostic("bad-response", message, at, _HINT),))
    rules: list[Rule] = []
    findings: list[Diagnostic] = []
    for number, item in enumerate(items, 1):
        found, faults = parse_rules({"redirects": [renamed(item)]}, lambda _: at)
        rules += found
        findings += (replace(fault, message=f"redirect {number}: {fault.message}") for fault in faults)
    return Listed(tuple(rules), tuple(findings))
