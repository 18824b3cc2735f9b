"""The settings file: found, parsed, and turned into typed values.

Owns every finding on the shape of the file, at its line. Knows no environment and no rule; what a type cannot say is
held in `checks`. Source: TOML 1.0; docs/settings.md.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pybuild.config.schema import NavItem
from pybuild.config.toml_lines import TomlMap
from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.files import decode

_ADVICE = {  # by how the parser's sentence begins
    "Invalid value": 'write text in quotes, such as title = "My site"',
    "Invalid statement": "write name = value, or a header such as [site]",
    "Expected '='": 'write name = value, such as title = "My site"',
    "Cannot overwrite": "keep one of the two",
    "Cannot declare": "keep one of the two headers",
    "Illegal character": "end the text with the quote it began with, on the same line",
    'Expected "': "end the text with the quote it began with",
    "Unterminated": "end the text with the quote it began with",
    "": "correct this line; https://toml.io shows how values are written",
}


class MissingSettings(Exception):
    """No settings file is in the folder; the command line named the wrong one (exit 2)."""


def read_file(root: Path) -> tuple[str, str, dict[str, Any], list[Diagnostic]]:
    """Find and parse the settings file: its name, text and table. `pybuild.toml` and `[tool.pybuild]` exclude each other."""
    own, project = root / "pybuild.toml", root / "pyproject.toml"
    shared = _project_line(project)
    if own.is_file():
        text, table, findings = _parse(own)
        if shared:
            message = "settings stand in both pybuild.toml and pyproject.toml"
            hint = "keep one: delete [tool.pybuild] from pyproject.toml, or delete pybuild.toml"
            findings.append(Diagnostic("config-error", message, Location("pyproject.toml", shared), hint))
        return "pybuild.toml", text, table, findings
    if not shared:
        raise MissingSettings(f"{root} has no pybuild.toml" if root.is_dir() else f"{root} is not a folder")
    text, table, findings = _parse(project)
    ours = table.get("tool", {}).get("pybuild", {})
    if isinstance(ours, dict):
        return "pyproject.toml", text, ours, findings
    at = Location("pyproject.toml", shared)
    wrong = Diagnostic("config-error", "tool.pybuild must be a table", at, "write [tool.pybuild]")
    return "pyproject.toml", text, {}, [*findings, wrong]


def has_settings(folder: Path) -> bool:
    """Whether a folder is a site: it has a settings file, whatever is in it."""
    return (folder / "pybuild.toml").is_file() or _project_line(folder / "pyproject.toml") > 0


def _project_line(project: Path) -> int:
    """The line of the first header of ours in a pyproject.toml, 1-based; 0 where there is none."""
    data = project.read_bytes() if project.is_file() else b""
    found = re.search(rb"(?m)^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*pybuild\b", data)
    return data.count(b"\n", 0, found.start()) + 1 if found else 0


def _parse(file: Path) -> tuple[str, dict[str, Any], list[Diagnostic]]:
    text, findings = decode(file.read_bytes(), file.name)
    if findings:
        return "", {}, list(findings)
    try:
        return text, tomllib.loads(text), []
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"line (\d+), column (\d+)", str(fault))
        place = (int(found[1]), int(found[2])) if found else (len(text.splitlines()), None)
        said = re.sub(r" \(at .*\)$", "", str(fault))
        hint = next((hint for start, hint in _ADVICE.items() if said.startswith(start)), _ADVICE[""])
        at = Location(file.name, *place)
        return text, {}, [Diagnostic("config-error", f"this is not TOML: {said}", at, hint)]


def lift_trailing_slash(table: dict[str, Any]) -> dict[str, Any]:
    """Accept `trailing_slash` below `[site]` or `[build]`, where TOML puts a key written after the header."""
    for name in ("site", "build"):
        inner = table.get(name)
        if isinstance(inner, dict) and "trailing_slash" in inner:
            table = {"trailing_slash": inner["trailing_slash"], **table}
            table[name] = {k: v for k, v in inner.items() if k != "trailing_slash"}
    return table


class Reader:
    """Turns tables into dataclasses and collects what does not fit."""

    def __init__(self, file: str, lines: TomlMap, others: Iterable[str] = ()) -> None:
        """`others` are tables at the top level that somebody else reads."""
        self.file = file
        self.others = frozenset(others)
        self.lines = lines
        self.findings: list[Diagnostic] = []

    def locate(self, path: tuple[str | int, ...]) -> Location:
        return Location(self.file, self.lines.line(path))

    def fault(self, path: tuple[str | int, ...], message: str, hint: str) -> None:
        self.findings.append(Diagnostic("config-error", message, self.locate(path), hint))

    def read(self, kind: Any, value: object, path: tuple[str | int, ...], sentence: str = "") -> Any:
        """Read `value` as `kind`: a dataclass, a scalar, a tuple, a mapping or a Literal.

        `sentence`: what the setting is for, for the fix of a value that is none.
        """
        if kind is NavItem:
            return self._nav_item(value, path)
        if dataclasses.is_dataclass(kind):
            return self._read_table(kind, value, path)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple:
            if isinstance(value, list):
                read = (self.read(inner[0], v, (*path, i), sentence) for i, v in enumerate(value))
                return tuple(item for item in read if item is not None)
            return self._wrong(path, "a list", value, sentence)
        if origin in (Mapping, dict):
            if isinstance(value, dict):
                return self._mapping(inner[1], value, path)
            return self._wrong(path, "a table", value, sentence)
        if origin is Literal:
            known = next((v for v in inner if type(v) is type(value) and v == value), None)
            wanted = " or ".join(map(_toml_text, inner))
            return known if known is not None else self._wrong(path, wanted, value)
        return self._scalar(kind, value, path, sentence)

    def _nav_item(self, value: object, path: tuple[str | int, ...]) -> NavItem:
        """Read a slug, `{ label, items }` or `{ label, url }`."""
        if isinstance(value, str):
            return NavItem(slug=value, location=Location(self.file, self.lines.line_of(path, value)))
        item: NavItem = self._read_table(NavItem, value, path) or NavItem()
        if sum(map(bool, (item.slug, item.url, item.items))) != 1 or (item.items and not item.label):
            hint = 'write "slug", { label = "…", items = […] } or { label = "…", url = "…" }'
            self.fault(path, f"{'.'.join(map(str, path))} is no item of a menu", hint)
            return NavItem(label="?", url="#")
        return item

    def _mapping(self, kind: Any, value: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        if kind is Any:
            return value
        read = {name: self.read(kind, item, (*path, name)) for name, item in value.items()}
        return {name: item for name, item in read.items() if item is not None}

    def _scalar(self, kind: Any, value: object, path: tuple[str | int, ...], sentence: str) -> object:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str) and "\0" in value:
            self.fault(path, f"{'.'.join(map(str, path))} holds a zero, which no text holds", "delete it")
            return None
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        names = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}
        return self._wrong(path, names[kind], value, sentence)

    def _wrong(self, path: tuple[str | int, ...], wanted: str, value: object, sentence: str = "") -> Any:
        """Report a value of the wrong type; None, which keeps the default."""
        name = ".".join(map(str, path))
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        hint = f"write {wanted}" + (f"; {key}: {sentence.removeprefix('required: ')}" if sentence else "")
        self.fault(path, f"{name} must be {wanted}, not {_toml_text(value)}", hint)
        return None

    def _read_table(self, kind: Any, value: object, path: tuple[str | int, ...]) -> Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a table", value)
        hints = typing.get_type_hints(kind)
        own = {"name": str(path[-1]), "location": self.locate(path)} if "location" in hints else {}
        own = {name: given for name, given in own.items() if name in hints}
        rest = next((f.name for f in dataclasses.fields(kind) if f.metadata.get("rest")), "")
        if rest:  # tables of any other name
            named = {k: v for k, v in value.items() if isinstance(v, dict) and k not in hints}
            found = self._mapping(typing.get_args(hints[rest])[1], named, path)
            value = {k: v for k, v in value.items() if k not in found}
            own[rest] = found
        hints = {k: v for k, v in hints.items() if k not in own}
        fields = {field.name: field.metadata for field in dataclasses.fields(kind)}
        read = {
            k: self.read(hints[k], v, (*path, k), fields[k].get("sentence", ""))
            for k, v in value.items()
            if k in hints
        }
        for name in value.keys() - hints.keys():
            self._unknown((*path, name), hints.keys() | (self.others if not path else ()))
        for name, number in read.items():
            minimum = fields[name].get("minimum")
            if number is not None and minimum is not None and number < minimum:
                self.fault(
                    (*path, name),
                    f"{'.'.join(map(str, (*path, name)))} is too small",
                    "write a larger number",
                )
        return kind(**own, **{k: v for k, v in read.items() if v is not None})

    def _unknown(self, path: tuple[str | int, ...], known: typing.Iterable[str]) -> None:
        place = f"[{'.'.join(map(str, path[:-1]))}]" if path[:-1] else "the top level"
        hint = did_you_mean(str(path[-1]), known) or f"{place} knows {', '.join(sorted(known))}"
        self.fault(path, f'unknown setting "{path[-1]}" in {place}', hint)


def _toml_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else str(value)


def text_digest(text: str) -> str:
    """A digest of the text of a settings file, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
