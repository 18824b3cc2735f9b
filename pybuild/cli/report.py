"""What people and machines read of a run. The one module that prints.

Owns the three formats of findings, the progress bar and the summary. Results go to standard output,
people read standard error. Whatever text of a site is in them, file names too, reaches a terminal without
control and format characters, and a log without anything that its reader takes for a command. Knows no phase.
Sources: no-color.org; docs.github.com, "Workflow commands for GitHub Actions"; Unicode TR36 §2 for format characters.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TextIO
from unicodedata import category

from pybuild.cli.grouping import Group, Shown, chosen, counted, grouped
from pybuild.diagnostics import Diagnostic, Location
from pybuild.source.secrets import Secrets, masked, masked_finding

Format = Literal["text", "json", "github"]
FORMATS: tuple[Format, ...] = ("text", "json", "github")
_NO_SECRETS: Secrets = {}
_KEPT = "\n\t\u200c\u200d"  # some languages and emoji need the joiners
_STYLES = {"error": "1;31", "warning": "1;33", "place": "1", "fix": "32", "mark": "31", "note": "36"}


@dataclass(frozen=True, slots=True)
class Summary:
    """The outcome of a command, as `--format json` prints it."""

    ok: bool
    out: str = ""
    pages: int = 0
    files: int = 0
    cached: int = 0
    seconds: float = 0.0
    diagnostics: tuple[Diagnostic, ...] = ()
    text: str = ""  # the line for people, printed where `ok`
    extra: Mapping[str, Any] = field(default_factory=dict)  # further keys of the JSON object


class StdoutClosed(Exception):
    """A result that standard output did not take; what the command did is done. `errno` is that of the fault."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(f"standard output cannot be written: {fault.strerror}")
        self.errno = fault.errno


def write_stdout(text: str, *, end: str = "\n") -> None:
    """Print a result. Raises `StdoutClosed`; what is still held back then goes nowhere."""
    try:
        sys.stdout.write(f"{text}{end}")
        sys.stdout.flush()
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        raise StdoutClosed(fault) from None


def write_stderr(text: str) -> None:
    """Print for people, where anybody can hear."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


class Report:
    """Prints for one command."""

    def __init__(
        self, format: Format, root: Path, *, verbosity: int = 0, secrets: Secrets = _NO_SECRETS
    ) -> None:
        """`verbosity`: -1 quiet, 0 usual, 1 verbose. `root` is where source lines are read from.

        Values among `secrets` are printed as the names of their variables.
        """
        self.secrets = secrets
        self.format = format
        self.root = root
        self.verbosity = verbosity
        self.colour = not os.environ.get("NO_COLOR") and (
            bool(os.environ.get("FORCE_COLOR")) or _is_terminal(sys.stderr)
        )
        self._bar: _Bar | None = None

    def progress(self, phase: str, done: int, total: int) -> None:
        """Show how far a phase has come, on a terminal; plain lines when verbose elsewhere."""
        if self.verbosity < 0 or self.format == "json":
            return
        if _is_terminal(sys.stderr):
            self._bar = self._bar or _Bar(self.colour)
            self._bar.show(phase, done, total)
        elif self.verbosity > 0 and done in (0, total):
            write_stderr(f"{phase} {done}/{total}")

    def printed(self, who: str, text: str) -> None:
        """Pass on what site code printed, each line with the page that printed it."""
        if self.verbosity > 0:
            for line in printable(masked(text, self.secrets)).splitlines():
                self._aside(f"[{_one_line(masked(who, self.secrets))}] {line}")

    def say(self, text: str) -> None:
        """Print a result at once, such as the address of a server, on standard output."""
        write_stdout(printable(text))

    def aside(self, text: str) -> None:
        """Print a line for people on standard error."""
        self._aside(printable(masked(text, self.secrets)))

    def finish(self, summary: Summary) -> Summary:
        """Print the findings and the summary in the format asked for; what was printed, without secrets."""
        if self._bar:
            self._bar.close()
        findings = tuple(masked_finding(finding, self.secrets) for finding in summary.diagnostics)
        summary = replace(summary, diagnostics=findings)
        if self.format == "json":
            # whatever a terminal or a runner may act on is an escape: names of files stay exact
            text = json.dumps(to_json(summary), ensure_ascii=False)
            if not text.isprintable():
                text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
            write_stdout(re.sub(r"##(\w*)\[", r"##\1\\u005b", text))
        else:
            self._findings(summary.diagnostics)
            if summary.ok and summary.text and self.verbosity >= 0:
                write_stdout(printable(masked(summary.text, self.secrets)))
        return summary

    def _findings(self, findings: Sequence[Diagnostic]) -> None:
        if self.format == "github":
            lines = github_lines(findings, workspace_prefix(self.root))
            write_stdout("".join(f"{line}\n" for line in lines), end="")
            return
        sources: dict[str, list[str]] = {}
        shown = [f for f in findings if f.is_error or self.verbosity >= 0]
        report = Shown([Group(f, 1) for f in shown], ()) if self.verbosity > 0 else chosen(grouped(shown))
        for group in report.groups:
            source = masked(self._source(group.first.location, sources), self.secrets)
            self._aside(format_text(group.first, source, colour=self.colour))
        if report.left_out:
            self._aside(f"and {counted(report.left_out)} more; --verbose shows all")
        if shown:
            errors = sum(finding.is_error for finding in findings)
            numbers = ((errors, "error"), (len(findings) - errors, "warning"))
            self._aside(", ".join(plural(number, word) for number, word in numbers if number))

    def _source(self, at: Location, sources: dict[str, list[str]]) -> str:
        """The line a finding points at; "" where there is none to show."""
        if not at.file or at.line is None:
            return ""
        if at.file not in sources:
            try:
                sources[at.file] = (self.root / at.file).read_text("utf-8", "replace").splitlines()
            except OSError:
                sources[at.file] = []
        lines = sources[at.file]
        return lines[at.line - 1] if 0 < at.line <= len(lines) else ""

    def _aside(self, text: str) -> None:
        if self._bar:
            self._bar.close()
            self._bar = None
        write_stderr(text)


def format_text(finding: Diagnostic, source: str = "", *, colour: bool = False) -> str:
    """Format a finding for people: the place, what is wrong, the line with a marker, notes and the fix."""

    def styled(style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colour else text

    place = f"{styled('place', printable_name(str(finding.location)))}: " if finding.location.file else ""
    head = f"{place}{styled(finding.severity, f'{finding.severity}[{finding.code}]')}: {_one_line(finding.message)}"
    lines = [head]
    if source.strip():
        lines.append("  | " + _one_line(source.replace("\t", " ").rstrip()[:160]))
        if finding.location.column and finding.location.column <= 160:
            lines.append("  | " + " " * (finding.location.column - 1) + styled("mark", "^"))
    for note in finding.notes:
        where = f"{printable_name(str(note.location))}: " if note.location.file else ""
        lines += [
            f"  {styled('note', 'note')}: {where}{line}" for line in printable(note.message).splitlines()
        ]
    if finding.hint:
        lines.append(f"  {styled('fix', 'fix')}: {_one_line(finding.hint)}")
    return "\n".join(lines)


def github_lines(findings: Iterable[Diagnostic], prefix: str = "") -> Iterable[str]:
    """Workflow commands, errors first: `::error file=app/a.py,line=3,title=missing-get::…`."""
    ordered = sorted(findings, key=lambda f: not f.is_error)
    for finding in ordered:
        at = finding.location
        places = {
            "file": printable_name(prefix + at.file) if at.file else "",
            "line": at.line,
            "col": at.column,
            "title": finding.code,
        }
        escaped = (
            (k, _escape_data(str(v)).replace(":", "%3A").replace(",", "%2C")) for k, v in places.items() if v
        )
        properties = ",".join(f"{key}={value}" for key, value in escaped)
        text = printable(finding.message + (f"\nfix: {finding.hint}" if finding.hint else ""))
        yield f"::{finding.severity} {properties}::{_escape_data(text)}"


def workspace_prefix(root: Path) -> str:
    """The folder of the site below the checkout, where GitHub looks for the files of annotations."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace or not root.is_relative_to(workspace):
        return ""
    inside = root.relative_to(workspace).as_posix()
    return "" if inside == "." else inside + "/"


def to_json(summary: Summary) -> dict[str, Any]:
    """The object of `--format json`."""
    return {
        "version": 1,
        "ok": summary.ok,
        "out": summary.out,
        "pages": summary.pages,
        "files": summary.files,
        "cached": summary.cached,
        "seconds": round(summary.seconds, 3),
        "diagnostics": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "message": printable(finding.message),
                **_place_json(finding.location),
                "hint": printable(finding.hint),
                "notes": [
                    {"message": printable(n.message), **_place_json(n.location)} for n in finding.notes
                ],
            }
            for finding in summary.diagnostics
        ],
        **_cleaned(summary.extra),
    }


def _place_json(at: Location) -> dict[str, Any]:
    return {"file": at.file, "line": at.line, "column": at.column}


def _cleaned(value: Any) -> Any:
    """A JSON value with all its texts printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {_one_line(str(key)): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list | tuple) else value


def plural(number: int, word: str) -> str:
    """A number of things: `1 page`, `2 pages`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _one_line(text: str) -> str:
    """A sentence on one line."""
    return printable(text.replace("\n", " "))


def printable_name(text: str) -> str:
    """The name of a file on one line, its own line ends shown."""
    return printable(text.replace("\n", "\\x0a"))


def printable(text: str) -> str:
    """Show control and format characters and lone surrogates as escapes: `\\x1b`, `\\u202e`; line ends and tabs stay."""
    if not text.isprintable():
        text = "".join(
            c if c.isprintable() or c in _KEPT or category(c) == "Zs" else _escaped(c) for c in text
        )
    return re.sub(r"##(\w*)\[", r"##\1\\[", text)  # runners find `##[error]`, `##vso[…]` inside of lines too


def _escaped(char: str) -> str:
    number = ord(char)
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


class _Bar:
    """A progress bar by rich, redrawn when told to: it starts no thread, so workers can be forked."""

    def __init__(self, colour: bool) -> None:
        progress = importlib.import_module("rich.progress")
        console = importlib.import_module("rich.console").Console(stderr=True, no_color=not colour)
        columns = (
            "{task.description}",
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
        )
        self._progress = progress.Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._progress.start()
        self._tasks: dict[str, Any] = {}

    def show(self, phase: str, done: int, total: int) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._progress.add_task(phase, total=total)
        self._progress.update(self._tasks[phase], completed=done, total=total, refresh=True)

    def close(self) -> None:
        self._progress.stop()
