"""Site code: imports, calls, and the place where it went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.render.responses import Answer
from pybuild.render.user_code import SiteCode, Stop, kind_of
from pybuild.web import NotFound, Redirected, not_found, redirect

Write = Callable[[dict[str, str]], SiteCode]
AT = Location("app/route.py", 1)


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Write]:
    """Write the files of a site and open its code; what it imports is forgotten afterwards."""
    known, path = set(sys.modules), list(sys.path)

    def write(files: dict[str, str]) -> SiteCode:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, "utf-8")
        return SiteCode(tmp_path)

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def stopped(call: Callable[[], object]) -> Diagnostic:
    with pytest.raises(Stop) as caught:
        call()
    assert len(caught.value.findings) == 1
    return caught.value.findings[0]


def test_files_of_one_name_are_modules_of_their_own(code: Write) -> None:
    site = code({f"app/{name}/route.py": f"NAME = {name!r}" for name in ("a", "b", "[c].json", "(d)", "e-f")})
    names = [site.load(f"app/{name}/route.py").NAME for name in ("a", "b", "[c].json", "(d)", "e-f")]
    assert names == ["a", "b", "[c].json", "(d)", "e-f"]


def test_imports_are_relative_or_from_the_root_of_the_site(code: Write) -> None:
    files = {
        "app/[slug]/route.py": "from .near import A\nfrom ..outer import B\nfrom lib.far import C\n",
        "app/[slug]/near.py": "A = 1\n",
        "app/outer.py": "B = 2\n",
        "lib/far.py": "C = 3\n",
    }
    module = code(files).load("app/[slug]/route.py")
    assert (module.A, module.B, module.C) == (1, 2, 3)


def test_a_file_is_run_once_and_fails_the_same_way_twice(code: Write) -> None:
    site = code(
        {
            "app/a.py": "TIMES = []\nTIMES.append(1)\n",
            "app/b.py": "import lib_count\n1 / 0\n",
            "lib_count.py": "",
        }
    )
    assert site.load("app/a.py") is site.load("app/a.py")
    first, second = (stopped(lambda: site.load("app/b.py")) for _ in range(2))
    message = "importing app/b.py failed: ZeroDivisionError: division by zero"
    assert first is second
    assert first == Diagnostic(
        "import-error", message, Location("app/b.py", 2), "correct the code at this line"
    )


def test_a_fault_of_a_library_is_placed_in_the_site_with_a_note(code: Write) -> None:
    site = code({"app/a.py": "import json\n\n\ndef GET():\n    return json.loads('{')\n"})
    with pytest.raises(ValueError) as caught:
        site.load("app/a.py").GET()
    found = site.fault(caught.value, "handler-error", AT, "GET /a")
    assert found.location == Location("app/a.py", 5)
    assert [note.message.partition(":")[0] for note in found.notes] == ["raised in decoder.py"]
    assert found.notes[0].location == Note("").location


@pytest.mark.parametrize("folder", [".venv/lib", "venv/site-packages", "node_modules"])
def test_what_is_installed_inside_the_site_is_not_the_site(code: Write, folder: str) -> None:
    site = code({f"{folder}/x.py": ""})
    assert site.relative(str(site.root / folder / "x.py")) == ""
    assert site.relative(str(site.root / "lib/x.py")) == "lib/x.py"
    assert site.relative("/usr/lib/x.py") == ""


@pytest.mark.parametrize(
    "body, message",
    [
        ("raise ValueError('a\\nb')", "ValueError: a\nb"),
        ("raise KeyError", "KeyError"),
        ("import sys; sys.exit()", "it called sys.exit()"),
        ("import sys; sys.exit('no')", "it called sys.exit('no')"),
        ("f()", "RecursionError: it calls itself too deep"),
        ("raise ValueError('\\ud800')", "ValueError: \\ud800"),
        ("raise BaseException('odd')", "BaseException: odd"),
        ("raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})", "Mute"),
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ],
)
def test_whatever_is_raised_becomes_one_finding(code: Write, body: str, message: str) -> None:
    site = code({"app/a.py": f"def f():\n    {body}\n"})

    def run() -> None:
        with site.guard("handler-error", AT, "GET /a"):
            site.load("app/a.py").f()

    found = stopped(run)
    assert (found.message, found.location) == (f"GET /a failed: {message}", Location("app/a.py", 2))


@pytest.mark.parametrize("error", [Redirected("/a", 307), NotFound()])
def test_leaving_where_nobody_listens_is_a_finding(code: Write, error: BaseException) -> None:
    site = code({})

    def run() -> None:
        with site.guard("handler-error", AT, "load"):
            raise error

    assert stopped(run).location == AT


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_an_interruption_passes(code: Write, error: type[BaseException]) -> None:
    site = code({})
    with pytest.raises(error), site.guard("handler-error", AT, "load"):
        raise error


def no_argument() -> list[Any]:
    return []


def one(a: Any) -> list[Any]:
    return [a]


def two(a: Any, b: Any) -> list[Any]:
    return [a, b]


def with_default(a: Any, b: Any = None, *, c: int = 1) -> list[Any]:
    return [a, b]


def any_number(*all_of_them: Any) -> list[Any]:
    return list(all_of_them)


async def waited_for(a: Any) -> list[Any]:
    return [a]


async def yielded(a: Any) -> Any:
    yield a


class Callme:
    def __call__(self, a: Any) -> list[Any]:
        return [a]


@pytest.mark.parametrize(
    "function, result",
    [
        (no_argument, []),
        (one, [1]),
        (two, [1, 2]),
        (with_default, [1, 2]),
        (any_number, [1, 2]),
        (waited_for, [1]),
        (yielded, [1]),
        (Callme(), [1]),
        (lambda *, key=1: [], []),
    ],
)
def test_functions_get_as_many_arguments_as_they_take(
    code: Write, function: Callable[..., Any], result: Any
) -> None:
    assert code({}).call(function, 1, 2) == result


def test_answers_are_read_to_their_end(code: Write) -> None:
    site = code({})
    plain = PlainTextResponse("é", headers={"Vary": "Accept", "ETag": "x"})
    assert site.answer(plain) == Answer(200, "é".encode(), "text/plain; charset=utf-8", (("vary", "Accept"),))
    assert site.answer(StreamingResponse(iter(["a", b"b"]), 203)) == Answer(203, b"ab", "", ())
    assert site.answer("text") is None
    assert site.answer(PlainTextResponse) is None


@pytest.mark.parametrize("value, name", [(None, "None"), (1, "an int"), ([], "a list"), (AT, "a Location")])
def test_types_are_named_as_one_says_them(value: object, name: str) -> None:
    assert kind_of(value) == name


@pytest.mark.parametrize("address", [None, 5, b"/a"])
def test_a_redirect_needs_an_address(address: Any) -> None:
    with pytest.raises(TypeError, match="a redirect leads to an address"):
        redirect(address)


def test_ways_out_pass_a_handler_that_catches_exceptions() -> None:
    def leave(out: Callable[[], object]) -> None:
        try:
            out()
        except Exception:
            pytest.fail("caught")

    with pytest.raises(Redirected):
        leave(lambda: redirect("/a"))
    with pytest.raises(NotFound):
        leave(not_found)


def test_a_new_phase_imports_the_site_anew_and_nothing_else(code: Write) -> None:
    first = code({"app/a.py": "import fresh_module\nN = fresh_module.N\n", "fresh_module.py": "N = []\n"})
    before = first.load("app/a.py").N
    again = SiteCode(first.root)
    assert again.load("app/a.py").N is not before
    assert sys.modules["pybuild.web"].redirect is redirect
