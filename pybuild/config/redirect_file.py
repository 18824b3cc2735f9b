"""Redirects from a file of their own: `redirects = "redirects.toml"`.

Owns three spellings: tables as in the settings, JSON as Next.js exports it, and the lines of a `_redirects` file. Each
becomes the tables that `config.rules` reads, with the line of every entry. Knows no page and no host.
Sources: Next.js, "redirects"; docs.netlify.com/manage/routing/redirects; docs.gitlab.com/user/project/pages/redirects.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pybuild.config.toml_lines import TomlMap
from pybuild.diagnostics import Diagnostic, Location

KeyPath = tuple[str | int, ...]


class _Unreadable(Exception):
    """The file is no list of redirects; the message says why."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class RedirectFile:
    """The tables of a file and where each was written."""

    name: str
    tables: Sequence[object] = ()
    lines: Sequence[int | None] = ()  # of each table, 1-based
    findings: tuple[Diagnostic, ...] = ()

    def locate(self, path: KeyPath) -> Location:
        """The line of the table in a path such as `("redirects", 3, "source")`."""
        number = path[1] if len(path) > 1 and isinstance(path[1], int) else None
        known = number is not None and number < len(self.lines)
        return Location(self.name, self.lines[number] if known and number is not None else None)


def read_redirects(root: Path, name: str, named_at: Location) -> RedirectFile:
    """Read a file of the site. Finding: `config-error`, for a file that is none or cannot be read."""
    file = root / name
    if not file.resolve().is_relative_to(root) or not file.is_file():
        hint = "name a file of the site, relative to it: TOML, JSON as in Next.js, or lines as in _redirects"
        fault = Diagnostic(
            "config-error", f'redirects names "{name}", which is no file of the site', named_at, hint
        )
        return RedirectFile(name, findings=(fault,))
    if file.suffix == ".py":
        return RedirectFile(name)  # it is asked when site code runs
    read = {".toml": _toml, ".json": _json}.get(file.suffix, _plain_lines)
    try:
        tables, lines = read(file.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        fault = Diagnostic("config-error", f"{name} is not UTF-8", Location(name), "save it as UTF-8")
        return RedirectFile(name, findings=(fault,))
    except _Unreadable as found:
        hint = 'write a list of tables with "source", "destination" and "permanent"'
        return RedirectFile(
            name, findings=(Diagnostic("config-error", str(found), Location(name, found.line), hint),)
        )
    return RedirectFile(name, tables, lines)


def _toml(text: str) -> tuple[list[object], list[int | None]]:
    try:
        tables = tomllib.loads(text).get("redirects", [])
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        raise _Unreadable(f"it is not TOML: {fault}", int(line[1]) if line else None) from fault
    if not isinstance(tables, list):
        raise _Unreadable("it has no list of redirects")
    lines = TomlMap.scan(text)
    return tables, [lines.line(("redirects", number)) for number in range(len(tables))]


def _json(text: str) -> tuple[list[object], list[int | None]]:
    """Tables of Next.js: `statusCode` is our `status`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as fault:
        raise _Unreadable(f"it is not JSON: {fault.msg}", fault.lineno) from fault
    listed = value.get("redirects") if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise _Unreadable("it has no list of redirects")
    starts = [n for n, line in enumerate(text.splitlines(), 1) for _ in re.findall(r'"source"\s*:', line)]
    return [renamed(one) for one in listed], (starts + [None] * len(listed))[: len(listed)]


def renamed(table: object) -> object:
    """A table of Next.js as one of ours."""
    if not isinstance(table, dict):
        return table
    return {{"statusCode": "status"}.get(name, name): value for name, value in table.items()}


def _plain_lines(text: str) -> tuple[list[object], list[int | None]]:
    """`/old/* /new/:splat 301`; without a status 301. What needs more than a path is refused at its line."""
    tables: list[object] = []
    lines: list[int | None] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.sub(r"(?:^|\s)#.*", "", line).split()
        if not words:
            continue
        status = words[2].removesuffix("!") if len(words) > 2 else "301"
        if len(words) not in {2, 3} or not status.isdecimal():
            message = f'"{line.strip()}" is no line of a source, a destination and a status'
            raise _Unreadable(f"{message}; conditions are written in [[redirects]] with has", number)
        if status in {"200", "404"}:
            raise _Unreadable(
                f"status {status} is no redirect; write [[rewrites]] or app/not-found.md", number
            )
        source = re.sub(r"[()+?{}]", r"\\\g<0>", words[0])
        source = re.sub(r"/\*$", "/:splat*", source)
        tables.append({"source": source, "destination": words[1], "status": int(status)})
        lines.append(number)
    return tables, lines
