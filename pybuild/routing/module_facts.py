"""Names and settings of Python modules, with their places, known without running them.

Owns `ModuleFacts`, and the opening of the files it is read from: Python modules, what they import with a star, short
texts. Runs no site code and knows no route.
Sources: The Python Language Reference, §5 "The import system" (the root of the site is on the path); the settings are
Next.js 16, "Route Segment Config", in snake_case.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.bindings import module_bindings

SETTINGS = frozenset(
    {
        "allow_empty",
        "dynamic",
        "dynamic_params",
        "fetch_cache",
        "inputs",
        "max_duration",
        "preferred_region",
        "revalidate",
        "runtime",
    }
)
IMAGE_SETTINGS = SETTINGS | {"alt", "content_type", "size"}
_DIRECTIVES = frozenset({"use server", "use client"})

Place = tuple[int, int]  # line and column, 1-based


@dataclass(frozen=True, slots=True)
class Setting:
    """A module setting, written as a literal."""

    value: object
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """What is known of a module before it runs."""

    file: str  # relative to the site
    names: Mapping[str, Place] = field(default_factory=dict)  # each module-scope name at its first binding
    settings: Mapping[str, Setting] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()  # what `from module import *` gives
    functions: frozenset[str] = frozenset()  # names that a def binds
    reads: frozenset[str] = frozenset()  # names of its own that its code uses
    code: Place | None = None  # the first statement that does something
    is_open: bool = (
        False  # it binds names that are only known when it runs, as `from elsewhere import *` does
    )
    is_readable: bool = True  # False: a syntax or encoding error; `findings` says which
    findings: tuple[Diagnostic, ...] = ()

    def place(self, name: str) -> Location:
        """Where `name` is bound first; the start of the file where it is not."""
        return Location(self.file, *self.names.get(name, (1, 1)))


Star = Callable[[str, int], ModuleFacts | None]  # the module of a star import, its dots → its facts


def inspect_module(
    data: bytes, file: str, star: Star, *, settings: Collection[str] = SETTINGS
) -> ModuleFacts:
    """Read a module's source. `star(module, level)` gives what a star import reads, None outside the site.

    Findings: `encoding-error`, `import-error` (it does not parse), `invalid-setting` (a name of
    `settings` is not one literal at the top level), `unsupported-feature` ("use server", "use client").
    """
    text = _decode(data, file)
    if isinstance(text, Diagnostic):
        return ModuleFacts(file, is_readable=False, findings=(text,))
    lines = () if text.isascii() else tuple(re.split(r"\r\n|\r|\n", text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, file)
        return _facts(tree, _Source(file, lines), star, settings)
    except SyntaxError as fault:
        at = Location(file, fault.lineno or 1, fault.offset or None)
        message, hint = f"{file} is not Python: {fault.msg}", "correct the syntax at this place"
        finding = Diagnostic("import-error", message, at, hint)
        return ModuleFacts(file, is_readable=False, findings=(finding,))
    except (RecursionError, MemoryError):
        hint = "split the expression, or keep the data in a file of its own"
        finding = Diagnostic("import-error", f"{file} is nested too deeply to be read", Location(file), hint)
        return ModuleFacts(file, is_readable=False, findings=(finding,))


@dataclass(frozen=True, slots=True)
class _Source:
    file: str
    lines: tuple[str, ...]  # empty where the text is ASCII

    def place(self, node: ast.AST) -> Place:
        """The syntax tree counts columns in UTF-8 bytes; authors count characters."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        if self.lines:
            column = len(self.lines[line - 1].encode("utf-8")[:column].decode("utf-8", "ignore"))
        return line, column + 1

    def location(self, node: ast.AST) -> Location:
        return Location(self.file, *self.place(node))


def _decode(data: bytes, file: str) -> str | Diagnostic:
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return Diagnostic(
            "encoding-error", f"{file} holds a null byte", Location(file, line), "save it as UTF-8 text"
        )
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        message = f"byte {fault.start} of {file} is not {fault.encoding.upper()}"
        return Diagnostic("encoding-error", message, Location(file, line), "save the file as UTF-8")
    except (SyntaxError, LookupError) as fault:
        message = f"the encoding of {file} cannot be told: {fault}"
        return Diagnostic(
            "encoding-error", message, Location(file, 1), "save it as UTF-8 and drop the coding comment"
        )


def _facts(tree: ast.Module, source: _Source, star: Star, settings: Collection[str]) -> ModuleFacts:
    places: dict[str, set[Place]] = {}
    functions: set[str] = set()
    is_open = False
    for binding in module_bindings(tree):
        if isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.add(binding.name)
        found: Collection[str] = (binding.name,)
        if binding.name == "*":
            module = star(binding.module, binding.level)
            found = module.exports if module else ()
            is_open = is_open or module is None or module.is_open
        is_open = is_open or not binding.name
        for name in filter(None, found):
            places.setdefault(name, set()).add(source.place(binding.node))
    wanted = {name: sorted(places[name]) for name in sorted(settings) if name in places}
    literals = _literals(tree)
    read, findings = _settings(literals, wanted, source.file)
    code = next(
        (
            node
            for node in tree.body
            if (
                not (
                    isinstance(node, ast.Pass)
                    or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
                )
            )
        ),
        None,
    )
    used = (n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return ModuleFacts(
        file=source.file,
        names={name: min(places[name]) for name in sorted(places)},
        settings=read,
        exports=_exports(literals, places),
        functions=frozenset(functions),
        reads=frozenset(places).intersection(used),
        code=source.place(code) if code is not None else None,
        is_open=is_open,
        findings=(*findings, *_directives(tree, source)),
    )


def _exports(literals: Mapping[str, list[ast.expr]], places: Mapping[str, set[Place]]) -> frozenset[str]:
    """Names that a star import gives: a literal `__all__`, else also all that are public."""
    written = [
        node for node in literals.get("__all__", []) if isinstance(node, (ast.List, ast.Tuple, ast.Set))
    ]
    items = [item.value for node in written for item in node.elts if isinstance(item, ast.Constant)]
    listed = {name for name in items if isinstance(name, str)}
    if len(written) == len(places.get("__all__", ())) == 1:
        return frozenset(listed)
    return frozenset(listed | {name for name in places if not name.startswith("_")})


def _literals(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Values assigned to plain names by statements at the top level."""
    values: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
                values.setdefault(target.id, []).append(node.value)
    return values


def _settings(
    literals: Mapping[str, list[ast.expr]], wanted: Mapping[str, list[Place]], file: str
) -> tuple[dict[str, Setting], list[Diagnostic]]:
    """Read the settings at the `wanted` places; each must be one literal at the top level."""
    read: dict[str, Setting] = {}
    findings: list[Diagnostic] = []
    for name, places in wanted.items():
        place = places[0]
        if len(places) > 1:
            message, place = f"{name} is set more than once", places[1]
        elif name not in literals:
            message = f"{name} is not set by a plain assignment at the top level"
        else:
            try:
                read[name] = Setting(ast.literal_eval(literals[name][0]), *place)
                continue
            except (ValueError, TypeError, SyntaxError):
                message = f"{name} is not a literal, so it cannot be read without running the file"
        hint = f"write it once at the top level with its value: {name} = {_EXAMPLES[name]}"
        findings.append(Diagnostic("invalid-setting", message, Location(file, *place), hint))
    return read, findings


_EXAMPLES = {
    "allow_empty": "True",
    "alt": '"A picture of …"',
    "content_type": '"image/png"',
    "dynamic": '"force-static"',
    "dynamic_params": "False",
    "fetch_cache": '"auto"',
    "inputs": '["content/**"]',
    "max_duration": "30",
    "preferred_region": '"auto"',
    "revalidate": "3600",
    "runtime": '"python"',
    "size": '{"width": 1200, "height": 630}',
}


def _directives(tree: ast.Module, source: _Source) -> list[Diagnostic]:
    """Find "use server" and "use client" as the first statement of the module or of a function."""
    findings = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)) or not node.body:
            continue
        first = node.body[0]
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and first.value.value in _DIRECTIVES
        ):
            message = (
                f'"{first.value.value}" has no meaning in an export: there is no server and no client bundle'
            )
            hint = "delete the line; call a backend from the browser for what needs a server"
            findings.append(Diagnostic("unsupported-feature", message, source.location(first), hint))
    return findings


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
        if declared := _declared_proxy(disk, file):
            return (declared,)
        facts = read_module(root, disk, file, ())
        if facts.is_readable and facts.code is None:
            return ()
        place = facts.code or ()
    message = f"{file} would run before each request, and nothing runs when a static file is served"
    hint = "write [[redirects]], [[rewrites]] or [[headers]] into the settings instead, and delete the file"
    return (Diagnostic("unsupported-feature", message, Location(file, *place), hint),)


def _declared_proxy(disk: Path, file: str) -> Diagnostic | None:
    """The finding for a module that says where requests go by `destination = "https://…"`: the lines to write."""
    try:
        body = ast.parse(disk.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return None
    found = {
        target.id: node.value
        for node in body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant | ast.List | ast.Tuple | ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    to = found.get("destination")
    if not (isinstance(to, ast.Constant) and isinstance(to.value, str)):
        return None
    folders = [one for one in file.split("/")[1:-1] if not re.fullmatch(r"\(.*\)", one)]
    source = "".join(f"/{re.sub(_DYNAMIC, _as_parameter, one)}" for one in folders)
    more = ":" not in source
    lines = [f'source = "{source}{"/:path*" if more else ""}"']
    lines.append(
        f'destination = "{to.value.rstrip("/") + "/:path*" if more and ":path" not in to.value else to.value}"'
    )
    lines += [
        f"{name} = {written}" for name in ("methods", "headers") if (written := _as_toml(found.get(name)))
    ]
    unwritten = [name for name in ("methods", "headers") if name in found and not _as_toml(found[name])]
    message = f"{file} declares a proxy, which is written in the settings"
    rest = f" and its {' and '.join(unwritten)}" if unwritten else ""
    hint = f"delete the file and write [[proxies]] with {', '.join(lines)}{rest}"
    return Diagnostic("unsupported-feature", message, Location(file, to.lineno, 1), hint)


def _as_toml(node: ast.expr | None) -> str:
    """A literal as TOML; "" for what is none, such as a call."""
    try:
        return _toml(ast.literal_eval(node)) if node else ""
    except (ValueError, TypeError, SyntaxError):
        return ""


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{_toml_key(str(name))} = {_toml(one)}" for name, one in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple | set):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


_DYNAMIC = re.compile(r"\[{1,2}(\.\.\.)?(\w+)\]{1,2}")


def _as_parameter(found: re.Match[str]) -> str:
    return f":{found[2]}{'*' if found[1] else ''}"


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
