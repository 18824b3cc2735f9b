"""Text of a site in reports: nothing of it steers a terminal or the runner that reads a log."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pybuild.cli.report import Report, Summary, format_text, github_lines, printable, printable_name
from pybuild.diagnostics import Diagnostic, Location, Note

HOSTILE = "a\n::stop-commands::x\r\x1b[31m\x9b1m\u202eb\u2066 ##[error]c ##vso[task.x]d"
FINDING = Diagnostic(
    "handler-error", HOSTILE, Location(HOSTILE, 1), HOSTILE, (Note(HOSTILE, Location(HOSTILE)),)
)
UNSAFE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u202a-\u202e\u2066-\u2069]|##\\w*\\[")


def test_text() -> None:
    told = format_text(FINDING, HOSTILE)
    assert not UNSAFE.search(told)
    assert [line for line in told.splitlines() if line.lstrip().startswith(("::", "##"))] == []
    assert told.startswith(
        "a\\x0a::stop-commands::x\\x0d\\x1b[31m\\x9b1m\\u202eb\\u2066 ##\\[error]c ##vso\\[task.x]d:1: "
    )


def test_github() -> None:
    (line,) = github_lines([FINDING])
    assert not UNSAFE.search(line) and line.startswith("::error file=a\\x0a%3A%3Astop-commands%3A%3Ax")


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_every_format_and_every_field(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(form, tmp_path)  # type: ignore[arg-type]
    extra = {"routes": [{"kind": "page", "route": HOSTILE, "file": HOSTILE}]}
    report.finish(Summary(True, HOSTILE, diagnostics=(FINDING,), text=printable_name(HOSTILE), extra=extra))
    told = capsys.readouterr()
    assert not UNSAFE.search(told.out + told.err)
    assert not re.search("(?m)^\\s*::stop", told.out + told.err)
    if form == "json":
        found = json.loads(told.out)["diagnostics"][0]
        assert found["file"] == HOSTILE  # exact for whoever reads it, escaped on the way
        assert not UNSAFE.search(found["message"] + found["hint"] + found["notes"][0]["message"])


def test_what_people_write_stays() -> None:
    text = "नमस्‍ते 👩‍💻\u00a0é 日本\u3000語 ##x\n\ty"
    assert printable(text) == text
