"""The summary of a job on GitHub Actions: what an export made and found, on the page of the run.

Owns its text and the file it is added to. Text of a site never becomes markup there. Knows no phase.
Source: docs.github.com, "Workflow commands for GitHub Actions", "Adding a job summary": Markdown, 1 MiB a step.
"""

from __future__ import annotations

import contextlib
import html
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pybuild.cli.report import Summary
from pybuild.diagnostics import Diagnostic

_MOST = 100  # findings that are listed


def add_step_summary(summary: Summary) -> None:
    """Add the outcome of an export to the file that `GITHUB_STEP_SUMMARY` names, where it is set."""
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        with contextlib.suppress(OSError), Path(file).open("a", encoding="utf-8") as stream:
            stream.write(step_summary(summary))


def step_summary(summary: Summary) -> str:
    """The outcome as Markdown; what a site says of itself is escaped HTML without line breaks."""
    errors = sum(finding.is_error for finding in summary.diagnostics)
    rows = {
        "pages": summary.pages,
        "rendered": summary.pages - summary.cached,
        "taken over": summary.cached,
        "files": summary.files,
        "errors": errors,
        "warnings": len(summary.diagnostics) - errors,
        "seconds": f"{summary.seconds:.1f}",
    }
    heads = "".join(f"<th>{name}</th>" for name in rows)
    values = "".join(f"<td>{value}</td>" for value in rows.values())
    title = "Exported" if summary.ok else "Not exported"
    table = f"<table><tr>{heads}</tr><tr>{values}</tr></table>"
    return "\n\n".join((f"### {title}", table, *_findings(summary.diagnostics))) + "\n\n"


def _findings(findings: Sequence[Diagnostic]) -> Iterator[str]:
    """A table of the findings, errors first."""
    if not findings:
        return
    ordered = sorted(findings, key=lambda finding: not finding.is_error)
    rows = "".join(_row(finding) for finding in ordered[:_MOST])
    yield f"<table><tr><th></th><th>code</th><th>where</th><th>what</th></tr>{rows}</table>"
    if len(ordered) > _MOST:
        yield f"and {len(ordered) - _MOST} more"


def _row(finding: Diagnostic) -> str:
    fix = f"<br>fix: {_text(finding.hint)}" if finding.hint else ""
    cells = (finding.severity, f"<code>{finding.code}</code>", _text(str(finding.location)))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}<td>{_text(finding.message)}{fix}</td></tr>"


def _text(text: str) -> str:
    """Text for a cell: in a block of HTML, Markdown reads no mark-up up to the next empty line."""
    return html.escape("".join(c if c.isprintable() else " " for c in " ".join(text.split())))
