"""Findings: what is wrong, where, and what to do about it.

Owns the `Diagnostic` value and the table of codes. Knows no phase and prints nothing.
Source of truth: docs/errors.md has one entry for each code of `CODES`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Severity = Literal["error", "warning"]

CODES: frozenset[str] = frozenset(
    {
        "bad-response",
        "broken-anchor",
        "broken-link",
        "config-error",
        "empty-static-params",
        "encoding-error",
        "engine-error",
        "fetch-error",
        "file-too-large",
        "front-matter-error",
        "handler-error",
        "handler-timeout",
        "import-error",
        "include-error",
        "invalid-rule",
        "invalid-segment",
        "invalid-setting",
        "invalid-static-params",
        "locked",
        "missing-get",
        "missing-static-params",
        "non-get-handler",
        "not-exported",
        "not-force-static",
        "not-reproducible",
        "output-conflict",
        "publish-error",
        "request-data-at-build",
        "route-conflict",
        "rule-limit",
        "rules-lost",
        "secret-in-output",
        "shallow-clone",
        "site-shrunk",
        "template-error",
        "unknown-export",
        "unsafe-out",
        "unsafe-path",
        "unsupported-feature",
        "unsupported-rule",
        "verify-mismatch",
        "verify-unreachable",
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place the author can edit."""

    file: str = ""  # relative to the site root, POSIX slashes; "" when no file is to blame
    line: int | None = None  # 1-based
    column: int | None = None  # 1-based

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that explains the first, such as "first defined here"."""

    message: str
    location: Location = Location()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` says what is wrong and names it; `hint` is an order that can be followed."""

    code: str
    message: str
    location: Location = Location()
    hint: str = ""
    notes: tuple[Note, ...] = ()
    severity: Severity = "error"
    subject: str = field(
        default="", compare=False
    )  # what findings of one code share: the URL that links lead to

    def __post_init__(self) -> None:
        assert self.code in CODES, f"{self.code} is not in the table of codes"

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


def warning(code: str, message: str, location: Location = Location(), hint: str = "") -> Diagnostic:
    """Make a finding that does not stop the export (unless `--strict`)."""
    return Diagnostic(code, message, location, hint, severity="warning")


def has_errors(findings: Iterable[Diagnostic]) -> bool:
    return any(finding.is_error for finding in findings)


def arrange(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Drop repeats and sort by place, then severity, code and message."""

    def key(d: Diagnostic) -> tuple[object, ...]:
        at = d.location
        return (at.file, at.line or 0, at.column or 0, d.severity, d.code, d.message, d.hint)

    return tuple(sorted(set(findings), key=key))


def made_strict(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Raise warnings to errors, as `--strict` asks; what a host cannot do for any site stays a warning."""
    return tuple(f if f.code == "rules-lost" else replace(f, severity="error") for f in findings)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest known word: `did_you_mean("titel", ["title"])` → `did you mean "title"?`."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""
