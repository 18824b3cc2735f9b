"""Every form that binds a name, and those that do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from pybuild.routing.bindings import module_bindings

BINDS = [
    "def POST(): pass",
    "async def POST(): pass",
    "class POST: pass",
    "POST = make()",
    "POST = GET = make()",
    "GET, POST = make()",
    "[GET, [POST]] = make()",
    "GET, *POST = make()",
    "POST: object = make()",
    "POST += 1",
    "print(POST := 1)",
    "x = [POST := i for i in range(3)]",
    "x = {i: (POST := i) for i in range(3) if i}",
    "x = [i for i in y if (POST := i)]",
    "x = lambda a=(POST := 1): a",
    "@(POST := decorate)\ndef f(): pass",
    "def f(a=(POST := 1)): pass",
    "def f(*, a=(POST := 1)): pass",
    "class A(POST := object): pass",
    "import POST",
    "import POST.inner",
    "import lib as POST",
    "from lib import POST",
    "from lib import handler as POST",
    "if x:\n    POST = 1",
    "if x:\n    pass\nelif y:\n    POST = 1",
    "if x:\n    pass\nelse:\n    POST = 1",
    "try:\n    POST = 1\nexcept E:\n    pass",
    "try:\n    pass\nexcept E:\n    POST = 1",
    "try:\n    pass\nexcept E:\n    pass\nelse:\n    POST = 1",
    "try:\n    pass\nfinally:\n    POST = 1",
    "try:\n    pass\nexcept* E:\n    POST = 1",
    "with x:\n    POST = 1",
    "with x as POST:\n    pass",
    "with x as (a, POST):\n    pass",
    "for POST in x:\n    pass",
    "for a, POST in x:\n    pass",
    "for a in x:\n    POST = 1",
    "for a in x:\n    pass\nelse:\n    POST = 1",
    "while x:\n    POST = 1",
    "while False:\n    pass\nelse:\n    POST = 1",
    "match x:\n    case POST:\n        pass",
    "match x:\n    case [1, *POST]:\n        pass",
    "match x:\n    case {'a': 1, **POST}:\n        pass",
    "match x:\n    case A(b=POST):\n        pass",
    "match x:\n    case 1 as POST:\n        pass",
    "match x:\n    case 1:\n        POST = 1",
    "def f():\n    global POST\n    POST = 1",
    "def f():\n    def g():\n        global POST\n        def POST(): pass",
    "class A:\n    global POST\n    POST = 1",
    "globals()['POST'] = 1",
    "def f():\n    globals()['POST'] = 1",
    "globals().update(POST=1)",
    "globals().update({'POST': 1}, GET=2)",
    "import sys\nsetattr(sys.modules[__name__], 'POST', 1)",
    "if not TYPE_CHECKING:\n    POST = 1",
    "if TYPE_CHECKING:\n    pass\nelse:\n    POST = 1",
    "if 0:\n    pass\nelse:\n    POST = 1",
    "if __name__ == '__main__':\n    pass\nelse:\n    POST = 1",
    "if True:\n    POST = 1",
]

DOES_NOT_BIND = [
    "def f():\n    POST = 1",
    "def f(POST): pass",
    "class A:\n    POST = 1",
    "class A:\n    def POST(self): pass",
    "x = lambda POST: POST",
    "x = lambda: (POST := 1)",
    "x = [POST for POST in y]",
    "x = {POST: 1 for POST in y}",
    "x = (1 for a, POST in y)",
    "POST: object",
    "del POST",
    "print(POST)",
    "x.POST = 1",
    "x.update(POST=1)",
    "setattr(x, 'POST', 1)",
    "x['POST'] = 1",
    "x = {'POST': 1}",
    "import lib.POST",
    "from POST import x",
    "global POST",
    "def f():\n    global POST",
    "def f():\n    nonlocal_ = 1\n    POST = 2",
    "try:\n    pass\nexcept E as POST:\n    pass",
    "match x:\n    case A(POST=1):\n        pass",
    "match x:\n    case a.POST:\n        pass",
    "if TYPE_CHECKING:\n    POST = 1",
    "if typing.TYPE_CHECKING:\n    from lib import POST",
    "if False:\n    POST = 1",
    "if 0:\n    POST = 1",
    "while 0:\n    POST = 1",
    "if not True:\n    POST = 1",
    "if True:\n    pass\nelse:\n    POST = 1",
    'if __name__ == "__main__":\n    POST = 1',
]


def names(source: str) -> set[str]:
    return {binding.name for binding in module_bindings(ast.parse(source))}


@pytest.mark.parametrize("source", BINDS)
def test_binds(source: str) -> None:
    assert "POST" in names(source)


@pytest.mark.parametrize("source", DOES_NOT_BIND)
def test_does_not_bind(source: str) -> None:
    assert "POST" not in names(source)


class Anything:
    """Stands for each name the statements read; false, so that no loop runs forever."""

    POST = 1

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter([(1, 2), (3, 4)])

    def __enter__(self) -> tuple[int, int]:
        return (1, 2)

    def __exit__(self, *error: object) -> None:
        pass

    def __setitem__(self, key: str, value: object) -> None:
        pass

    def update(self, **values: object) -> None:
        pass

    def __call__(self, *values: object) -> object:
        return values[0] if values else (1, [2])


RUNNABLE = [source for source in BINDS + DOES_NOT_BIND if "import" not in source and "+=" not in source]


@pytest.mark.parametrize("source", RUNNABLE)
def test_the_interpreter_binds_nothing_that_was_not_found(source: str) -> None:
    anything = {name: Anything() for name in ("x", "y", "make", "decorate", "typing", "TYPE_CHECKING")}
    before: dict[str, object] = {
        **anything,
        "__name__": "page",
        "E": ValueError,
        "A": Anything,
        "a": Anything,
    }
    before |= {"POST": 0} if source in {"del POST", "print(POST)"} else {}
    scope = dict(before)
    exec(compile(source, "page.py", "exec"), scope)
    assert scope.keys() - before.keys() - {"__builtins__", "__annotations__"} <= names(source)


@pytest.mark.parametrize(
    "source",
    [
        "globals()[x] = 1",
        "globals().update(x)",
        "globals().update(**x)",
        "exec(x)",
        "import sys\nsetattr(sys.modules[__name__], x, 1)",
    ],
)
def test_names_that_only_running_tells(source: str) -> None:
    assert "" in names(source)


def test_a_star_import_is_handed_back() -> None:
    found = module_bindings(ast.parse("from ..lib.api import *"))
    assert [(b.name, b.module, b.level) for b in found] == [("*", "lib.api", 2)]
