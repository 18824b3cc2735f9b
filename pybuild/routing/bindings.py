"""Which names a Python module binds, read from its syntax tree.

Owns the walk over every form that binds a name at module scope, also from a nested scope by `global`.
Runs nothing and knows no route; a star import is handed back as such.
Source of truth: The Python Language Reference, §4.2.1 "Binding of names".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a name gets a value."""

    name: str  # "*" for a star import; "" for names that are only known when the file runs
    node: ast.stmt | ast.expr | ast.alias | ast.pattern
    module: str = ""  # of a star import: the module as written, without its dots
    level: int = 0  # of a star import: how many dots lead it


def module_bindings(tree: ast.Module) -> tuple[Binding, ...]:
    """List all bindings at module scope, in the order of the file.

    Bodies that never run on import are left out: `if TYPE_CHECKING:`, `if False:`,
    `if __name__ == "__main__":`. Raises RecursionError where the tree is too deep to walk.
    """
    scope = _Scope()
    scope.visit_all(tree.body)
    return tuple(scope.own + scope.escaped)


class _Scope(ast.NodeVisitor):
    """Collects what one scope binds, and what scopes inside it bind in the module by `global`."""

    def __init__(self) -> None:
        self.own: list[Binding] = []
        self.escaped: list[Binding] = []
        self.declared: set[str] = set()

    def visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def bind(self, name: str | None, node: ast.stmt | ast.expr | ast.alias | ast.pattern) -> None:
        if name is not None:
            self.own.append(Binding(name, node))

    def enter(self, body: Iterable[ast.AST]) -> None:
        """Walk a nested scope; only what it declares global leaves it."""
        inner = _Scope()
        inner.visit_all(body)
        self.escaped += inner.escaped
        self.escaped += [binding for binding in inner.own if binding.name in inner.declared]

    def visit_Global(self, node: ast.Global) -> None:
        self.declared.update(node.names)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store) and _is_globals(node.value):
            self.escaped.append(Binding(_text(node.slice), node))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.escaped += [Binding(name, node) for name in _names_of_call(node)]
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit_all([node.target, node.value])

    def _function(self, node: _Function) -> None:
        self.bind(node.name, node)
        self.visit_all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        self.enter(node.body)

    visit_FunctionDef = _function
    visit_AsyncFunctionDef = _function

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit_all([*node.args.defaults, *node.args.kw_defaults])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bind(node.name, node)
        self.visit_all([*node.decorator_list, *node.bases, *node.keywords])
        self.enter(node.body)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.visit_all([node.iter, *node.ifs])

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.bind(alias.asname or alias.name.partition(".")[0], alias)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.own.append(Binding("*", alias, node.module or "", node.level))
            else:
                self.bind(alias.asname or alias.name, alias)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self.visit_all([node.pattern])
        self.bind(node.name, node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self.bind(node.name, node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.visit_all(node.patterns)
        self.bind(node.rest, node)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        runs = _runs_on_import(node.test)
        self.visit_all(node.body if runs is not False else ())
        self.visit_all(node.orelse if runs is not True else ())

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.visit_all(node.body if _runs_on_import(node.test) is not False else ())
        self.visit_all(node.orelse)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """`type X = …` of Python 3.12."""
        self.visit_all([getattr(node, "name", None)])


def _names_of_call(node: ast.Call) -> list[str]:
    """Names that a call binds in the module: `globals().update(GET=…)`, `setattr(sys.modules[__name__], …)`."""
    called = node.func
    if isinstance(called, ast.Name) and called.id == "exec":
        return [""]
    if isinstance(called, ast.Name) and called.id == "setattr" and len(node.args) == 3:
        return [_text(node.args[1])] if ast.unparse(node.args[0]) == "sys.modules[__name__]" else []
    if isinstance(called, ast.Attribute) and called.attr == "update" and _is_globals(called.value):
        return [keyword.arg or "" for keyword in node.keywords] + [
            name for arg in node.args for name in _keys(arg)
        ]
    return []


def _keys(node: ast.expr) -> list[str]:
    return [_text(key) for key in node.keys] if isinstance(node, ast.Dict) else [""]


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _runs_on_import(test: ast.expr) -> bool | None:
    """Whether a condition is known to hold when the module is imported; None when it is not known."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _runs_on_import(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING":
        return False
    return False if ast.unparse(test) == "__name__ == '__main__'" else None
