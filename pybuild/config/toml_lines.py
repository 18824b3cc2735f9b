"""Lines of a TOML file: where each key was written.

Owns a scan for headers and keys that is good enough to point at a line; `tomllib` has read the values.
Knows no setting. Source: TOML 1.0, "Table" and "Array of Tables".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class TomlMap:
    """Maps the path of a key, such as `("redirects", 0, "source")`, to its line, 1-based."""

    lines: dict[Path, int]
    source: tuple[str, ...] = ()  # the lines of the file

    def line_of(self, path: Path, written: str) -> int | None:
        """The line of a value of text inside the value of the key `path`, else that of the key."""
        first = self.line(path)
        spelt = (f'"{written}"', f"'{written}'")
        below = range(first or 1, len(self.source) + 1)
        return next((n for n in below if any(text in self.source[n - 1] for text in spelt)), first)

    def line(self, path: Path) -> int | None:
        """The line of the key, or of the nearest table around it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1 if path else None

    @classmethod
    def scan(cls, text: str, prefix: str = "") -> TomlMap:
        """Read the places of all headers and keys; those outside the table `prefix` are left out."""
        lines: dict[Path, int] = {}
        counts: dict[Path, int] = {}
        table: Path = ()
        for number, line in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(line):
                # the running index goes behind each array of tables: `[rules.has]` → `("rules", 2, "has")`
                table, parts = (), _parts(header[2])
                for position, part in enumerate(parts, 1):
                    table = (*table, part)
                    if position == len(parts) and header[1] == "[[":
                        counts[table] = counts.get(table, -1) + 1
                    if table in counts:
                        table = (*table, counts[table])
                lines.setdefault(table, number)
                lines.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
            elif key := _KEY.match(line):
                lines.setdefault((*table, *_parts(key[1])), number)
        strip = tuple(prefix.split(".")) if prefix else ()
        own = {k[len(strip) :]: v for k, v in lines.items() if k[: len(strip)] == strip}
        return cls(own, tuple(text.splitlines()))


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
