"""Findings for the browser: as JSON with the lines of the source around them, and as a page.

Owns both forms. Text of a site stays text: the page escapes everything.
Source: docs/dev.md; the JSON is that of `--format json`, with `source` in each finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from pybuild.diagnostics import Diagnostic
from pybuild.source.secrets import Secrets, masked

_AROUND = 3  # lines before and after the one that is meant
_LONGEST = 300  # characters of a line


@dataclass(frozen=True, slots=True)
class Sources:
    """Where lines of the source come from."""

    root: Path
    secrets: Secrets
    are_shown: bool = True

    def around(self, finding: Diagnostic) -> list[dict[str, Any]]:
        """The lines around the place of a finding, with their numbers; the one that is meant is marked."""
        at = finding.location
        if not self.are_shown or not at.file or at.line is None:
            return []
        try:
            lines = (self.root / at.file).read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        first = max(at.line - _AROUND, 1)
        shown = enumerate(lines[first - 1 : at.line + _AROUND], first)
        return [
            {"line": number, "text": masked(text[:_LONGEST], self.secrets), "marked": number == at.line}
            for number, text in shown
        ]


def findings_json(findings: Iterable[Diagnostic], sources: Sources, **more: object) -> bytes:
    """The object at `/_pybuild/findings.json`; `more` are further keys of it."""
    rows = [
        {
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            **asdict(finding.location),
            "hint": finding.hint,
            "notes": [{"message": note.message, **asdict(note.location)} for note in finding.notes],
            "source": sources.around(finding),
        }
        for finding in findings
    ]
    is_ok = not any(row["severity"] == "error" for row in rows)
    return json.dumps({"version": 1, "ok": is_ok, "diagnostics": rows, **more}).encode()


def findings_page(findings: Iterable[Diagnostic], sources: Sources) -> bytes:
    """All findings as a page."""
    return _page().render(findings=tuple(findings), sources=sources).encode()


@cache
def _page() -> jinja2.Template:
    text = files(__package__).joinpath("findings.html").read_text("utf-8")
    return jinja2.Environment(autoescape=True).from_string(text)
