"""Data files of the site: `data/**/*.{toml,yaml,json,csv}` as `data.a.b` in templates and `data("a/b")` in Python.

Owns reading them, each when it is first asked for, and what is said of one that cannot be read. Knows no page.
Sources: TOML 1.0, YAML 1.1 as PyYAML reads it, RFC 8259 for JSON, RFC 4180 for CSV.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from pybuild.diagnostics import Diagnostic, Location
from pybuild.near_words import words_of
from pybuild.render.user_code import Stop

FOLDER = "data"
_Fault = tuple[str, int | None]  # what is wrong, and the line


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _csv(text: str) -> list[dict[str, str]]:
    """Rows by the names of the first line, all values text. Raises `ValueError` for a row of another length."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = next(reader, [])
    rows = []
    for row in reader:
        if row and len(row) != len(names):
            raise _CsvFault(f"{len(row)} values for {len(names)} names", reader.line_num)
        if row:
            rows.append(dict(zip(names, row, strict=True)))
    return rows


class _CsvFault(ValueError):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


READERS: Mapping[str, Callable[[str], Any]] = {
    ".csv": _csv,
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
}


class DataFiles:
    """The data files of a site. Values are shared by all pages of a process: change a copy, not them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, Any] = {}
        self._files = dict(_named(root))

    def get(self, name: str) -> Any:
        """The value of `data/NAME.*`. Raises `LookupError` for none, `Stop` for one that cannot be read."""
        if name not in self._read:
            if name not in self._files:
                near = (
                    words_of(tuple(self._files)).hint(name)
                    or f"write {FOLDER}/{name}.toml, .yaml, .json or .csv"
                )
                raise LookupError(f'there is no data file "{name}": {near}')
            self._read[name] = self._value(self._files[name])
        return self._read[name]

    def has_below(self, name: str) -> bool:
        return any(other.startswith(f"{name}/") for other in self._files)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def _value(self, file: str) -> Any:
        try:
            text = (self._root / file).read_text("utf-8-sig")
            return READERS[Path(file).suffix](text)
        except OSError as fault:
            said: _Fault = str(fault.strerror), None
        except UnicodeDecodeError as fault:
            said = f"byte {fault.start} is not UTF-8 text", None
        except RecursionError:
            said = "it nests too deep", None
        except (ValueError, csv.Error, yaml.YAMLError) as fault:
            said = _placed(fault)
        message = f"{file} cannot be read: {said[0]}"
        raise Stop(
            Diagnostic("config-error", message, Location(file, said[1]), "correct the file at this line")
        )


def _placed(fault: Exception) -> _Fault:
    """What a parser says, and where."""
    if isinstance(fault, json.JSONDecodeError):
        return fault.msg, fault.lineno
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark:
        return str(fault.problem), fault.problem_mark.line + 1
    said = str(fault)
    line = getattr(fault, "line", None) or getattr(fault, "lineno", None)
    if isinstance(fault, tomllib.TOMLDecodeError) and line is None and "(at line " in said:
        line = int(said.rpartition("(at line ")[2].partition(",")[0])
    return said, line


def _named(root: Path) -> Iterator[tuple[str, str]]:
    """Names and files, sorted; nothing hidden, and nothing that a link leads out of the site."""
    home = root.resolve()
    for file in sorted((root / FOLDER).rglob("*")):
        path = file.relative_to(root)
        is_hidden = any(part.startswith(".") for part in path.parts)
        if (
            file.suffix in READERS
            and not is_hidden
            and file.is_file()
            and file.resolve().is_relative_to(home)
        ):
            yield path.relative_to(FOLDER).with_suffix("").as_posix(), path.as_posix()


def check_data(root: Path) -> tuple[Diagnostic, ...]:
    """Find files that answer to one name. Code: `config-error`."""
    first: dict[str, str] = {}
    findings = []
    for name, file in _named(root):
        if name in first:
            message = f"{first[name]} and {file} are both data of the name {name!r}"
            findings.append(
                Diagnostic("config-error", message, Location(file), "rename or delete one of them")
            )
        first.setdefault(name, file)
    return tuple(findings)


class DataView:
    """What templates see as `data`: folders and files by name, `data.team` or `data["on-call"]`."""

    def __init__(self, files: DataFiles, name: str = "") -> None:
        self._files = files
        self._name = name

    def __getitem__(self, name: str) -> Any:
        full = f"{self._name}/{name}".lstrip("/")
        if full not in self._files and self._files.has_below(full):
            return DataView(self._files, full)
        return self._files.get(full)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]


_current: DataFiles | None = None


def set_data(files: DataFiles) -> None:
    """Set what `data()` of site code reads, for this process."""
    global _current
    _current = files


def data(name: str) -> Any:
    """The value of a data file, by its name below `data/` without a suffix: `data("team/people")`."""
    if _current is None:
        raise LookupError("data files are known while a site is exported")
    return _current.get(name)
