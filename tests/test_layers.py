"""The shape of the code, read from its syntax trees: layers, effects, and what ARCHITECTURE.md says of them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pybuild"

# A unit may import units of lower rank, and its own package. The longest name that fits a module counts.
RANK = {
    "plain": -1,
    "compact": 0,
    "diagnostics": 0,
    "engines": 1,
    "objects": 0,
    "language_tags": 0,
    "near_words": 0,
    "urls": 0,
    "web": 0,
    "fetching": 0,
    "files": 1,
    "records": 1,
    "rules": 2,
    "codec": 3,
    "config": 3,
    "hosts": 4,
    "look": 5,
    "markdown": 4,
    "publish": 4,
    "publish.state": 3,
    "publish.syscalls": 2,
    "routing": 4,
    "serve": 5,
    "source": 5,
    "source.secrets": 2,
    "verify": 5,
    "plan": 6,
    "site_files": 6,
    "metadata": 7,
    "render": 8,
    "cache": 9,
    "build": 10,
    "dev": 11,
    "cli": 12,
    "__main__": 13,
}
ONLY_IN = {  # an effect, and the modules that may have it
    r"\bprint\(": {"cli.report"},
    r"\bos\.environ\b|\bgetenv\(": {
        "config",
        "cli.report",
        "cli.step_summary",
        "serve",
        "hosts",
        "engines.dask",
        "engines.remote",
    },
    r"\btime\.time\(|datetime\.now\(|\.today\(": {"config", "fetching"},
    r"exec_module|import_module\(": {"render.user_code", "cli", "__init__"},
    r"\.write_text\(|\.write_bytes\(": {"publish", "serve.command", "fetching.store"},
}


@cache
def _modules() -> tuple[str, ...]:
    files = sorted(PACKAGE.rglob("*.py"))
    names = (".".join(f.relative_to(PACKAGE).with_suffix("").parts) for f in files)
    return tuple(name.removesuffix(".__init__") for name in names)


@cache
def _source(module: str) -> str:
    path = PACKAGE / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text("utf-8")


def _unit(module: str) -> str:
    parts = module.split(".")
    names = (".".join(parts[:size]) for size in range(len(parts), 0, -1))
    return next((name for name in names if name in RANK), "")


@cache
def _imports(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pybuild"):
            base = node.module.removeprefix("pybuild").strip(".")
            for alias in node.names:
                full = f"{base}.{alias.name}".strip(".")
                found.add(full if full in _modules() else base)
    return found - {""}


@pytest.mark.parametrize("module", [m for m in _modules() if m not in ("__init__", "")])
def test_imports_point_downwards(module: str) -> None:
    unit = _unit(module)
    assert unit, f"{module} has no rank"
    up = [m for m in _imports(module) if _unit(m) != unit and RANK.get(_unit(m), 99) >= RANK[unit]]
    package = module.partition(".")[0]
    assert [m for m in up if m.partition(".")[0] != package] == []


def test_no_import_cycle() -> None:
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " → ".join((*above, module))
        if module not in done:
            for other in sorted(_imports(module)):
                visit(other, (*above, module))
            done.add(module)

    for module in _modules():
        if module not in ("__init__", ""):
            visit(module, ())


@pytest.mark.parametrize("command", ["cli.dev", "cli.main", "cli.new", "cli.serve"])
def test_commands_that_render_nothing_themselves_load_nothing_that_does(command: str) -> None:
    found, waiting = {command}, [command]
    while waiting:
        new = _imports(waiting.pop()) - found
        found |= new
        waiting += new
    heavy = ("dev.session", "markdown", "render", "site_files", "source.site")
    assert sorted(m for m in found if f"{m}.".startswith(tuple(f"{name}." for name in heavy))) == []


@pytest.mark.parametrize("module", _modules())
def test_no_import_inside_a_function(module: str) -> None:
    functions = [
        n
        for n in ast.walk(ast.parse(_source(module)))
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    late = [m.lineno for f in functions for m in ast.walk(f) if isinstance(m, ast.Import | ast.ImportFrom)]
    assert late == []


@pytest.mark.parametrize(("effect", "places"), ONLY_IN.items())
def test_each_effect_has_one_place(effect: str, places: set[str]) -> None:
    having = {m or "__init__" for m in _modules() if re.search(effect, _code(_source(m)))}
    assert {m for m in having if not any(m == p or m.startswith(p + ".") for p in places)} == set()


@cache
def _code(source: str) -> str:
    """The source without docstrings and comments."""
    return ast.unparse(_without_docstrings(ast.parse(source)))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0] = ast.Pass()
    return tree


@pytest.mark.parametrize("module", _modules())
def test_every_module_says_what_it_owns(module: str) -> None:
    assert ast.get_docstring(ast.parse(_source(module))) or not _source(module).strip()


def test_the_map_names_every_module() -> None:
    said = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    missing = [m for m in _modules() if m not in ("__init__", "") and m.rpartition(".")[2] not in said]
    assert missing == []
