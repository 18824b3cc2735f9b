"""Site files read for their facts: Python modules, what they import with a star, short texts.

Owns the opening of these files. Runs no site code and knows no route.
Source of truth: The Python Language Reference, §5 "The import system"; the site root is on the path.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.inspect import ModuleFacts, Star, inspect_module


def read_module(root: Path, disk: Path, file: str, settings: Collection[str]) -> ModuleFacts:
    """Inspect the module at `disk`, known to the author as `file`. Findings: those of `inspect_module`."""
    facts = _inspect(root, disk, file, (settings, frozenset({disk.resolve()})))
    if facts is None:
        message, hint = f"{file} cannot be read", "make it a file that you may read"
        return ModuleFacts(
            file, is_readable=False, findings=(Diagnostic("import-error", message, Location(file), hint),)
        )
    return facts


def read_text(disk: Path, file: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """Read a short text, without the white space around it. Finding: `encoding-error`."""
    try:
        return disk.read_bytes().decode("utf-8-sig").strip(), ()
    except (UnicodeDecodeError, OSError):
        hint = "save it as UTF-8"
        return "", (
            Diagnostic("encoding-error", f"{file} cannot be read as UTF-8 text", Location(file), hint),
        )


def server_file_fault(root: Path, disk: Path, file: str) -> tuple[Diagnostic, ...]:
    """Refuse a proxy or middleware that holds code (`unsupported-feature`)."""
    place: tuple[int, int] | tuple[()] = ()
    if disk.suffix == ".py":
        facts = read_module(root, disk, file, ())
        if facts.is_readable and facts.code is None:
            return ()
        place = facts.code or ()
    message = f"{file} would run before each request, and nothing runs when a static file is served"
    hint = "write [[redirects]], [[rewrites]] or [[headers]] into the settings instead, and delete the file"
    return (Diagnostic("unsupported-feature", message, Location(file, *place), hint),)


def _inspect(
    root: Path, disk: Path, file: str, how: tuple[Collection[str], frozenset[Path]]
) -> ModuleFacts | None:
    """Inspect a module. `how` holds the settings to look for and the files that star imports came through."""
    try:
        data = disk.read_bytes()
    except OSError:
        return None
    return inspect_module(data, file, _star(root, disk, how[1]), settings=how[0])


def _star(root: Path, importer: Path, visited: frozenset[Path]) -> Star:
    """Resolve star imports of `importer` inside the site; a circle of them adds no name."""

    def star(module: str, level: int) -> ModuleFacts | None:
        if (module, level) == ("pybuild", 0):  # gives no name that has a meaning in a module of the site
            return ModuleFacts("")
        disk = _locate(root, importer, module, level)
        if disk is None:
            return None
        if disk in visited:
            return ModuleFacts("")
        file = disk.relative_to(root).as_posix()
        facts = _inspect(root, disk, file, ((), visited | {disk}))
        return replace(facts, findings=()) if facts else None

    return star


def _locate(root: Path, importer: Path, module: str, level: int) -> Path | None:
    """Find the file of a module in the site: `lib.handlers` → `lib/handlers.py` or its `__init__.py`."""
    folder = root
    if level:
        folder = importer.parent
        for _ in range(level - 1):
            folder = folder.parent
    base = folder.joinpath(*module.split(".")) if module else folder
    for candidate in (base / "__init__.py", base.parent / f"{base.name}.py"):
        if candidate.is_file() and (found := candidate.resolve()).is_relative_to(root):
            return found
    return None
