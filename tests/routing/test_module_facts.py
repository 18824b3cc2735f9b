"""Facts of a module."""

from __future__ import annotations

import pytest
from harness import LONG
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.module_facts import IMAGE_SETTINGS, ModuleFacts, Setting, inspect_module

FILE = "app/a/route.py"


def outside(module: str, level: int) -> ModuleFacts | None:
    return None


def facts(source: str | bytes) -> ModuleFacts:
    return inspect_module(source if isinstance(source, bytes) else source.encode(), FILE, outside)


def test_names_have_the_place_of_their_first_binding() -> None:
    found = facts("import os\n\nif os:\n    def GET(): pass\nelse:\n    GET = None\nPOST = 1\n")
    assert found.names == {"GET": (4, 5), "POST": (7, 1), "os": (1, 8)}
    assert found.place("GET") == Location(FILE, 4, 5)
    assert found.place("PUT") == Location(FILE, 1, 1)


@pytest.mark.parametrize("source", ["é = 1; GET = 2", "# ä\r\né = 1; GET = 2", "\ufeffé = 1; GET = 2"])
def test_columns_count_characters(source: str) -> None:
    assert facts(source).names["GET"][1] == 8


def test_a_decorated_function_is_placed_at_its_def() -> None:
    assert facts("@decorate\ndef GET(): pass\n").names["GET"] == (2, 1)


def test_settings_are_read_as_literals() -> None:
    source = (
        'dynamic = "force-static"\nrevalidate: int = 60\ninputs = ["a/**", "b"]\nx = runtime = "python"\n'
    )
    assert facts(source).settings == {
        "dynamic": Setting("force-static", 1, 1),
        "inputs": Setting(["a/**", "b"], 3, 1),
        "revalidate": Setting(60, 2, 1),
        "runtime": Setting("python", 4, 5),
    }


WRONG = [
    (
        "revalidate = 60 * 60",
        "revalidate is not a literal, so it cannot be read without running the file",
        1,
        1,
    ),
    (
        'dynamic = f"force-{x}"',
        "dynamic is not a literal, so it cannot be read without running the file",
        1,
        1,
    ),
    (
        "x = 1\nfrom lib import x as dynamic",
        "dynamic is not set by a plain assignment at the top level",
        2,
        17,
    ),
    ('if x:\n    dynamic = "error"', "dynamic is not set by a plain assignment at the top level", 2, 5),
    ("dynamic, x = y", "dynamic is not set by a plain assignment at the top level", 1, 1),
    ("def dynamic(): pass", "dynamic is not set by a plain assignment at the top level", 1, 1),
    ('dynamic = "error"\ndynamic = "force-static"', "dynamic is set more than once", 2, 1),
    ('dynamic = "error"\nif x:\n    dynamic = "auto"', "dynamic is set more than once", 3, 5),
    (
        'dynamic = "error"\ndef f():\n    global dynamic\n    dynamic = 1',
        "dynamic is set more than once",
        4,
        5,
    ),
    ("revalidate = 1\nrevalidate += 1", "revalidate is set more than once", 2, 1),
]


@pytest.mark.parametrize(("source", "message", "line", "column"), WRONG)
def test_a_setting_that_cannot_be_read(source: str, message: str, line: int, column: int) -> None:
    found = facts(source)
    assert [(f.code, f.message, f.location) for f in found.findings] == [
        ("invalid-setting", message, Location(FILE, line, column))
    ]
    assert found.settings == {}
    assert found.findings[0].hint.startswith("write it once at the top level with its value: ")


def test_names_of_images_are_settings_only_where_asked() -> None:
    assert facts("size = measure()").findings == ()
    found = inspect_module(b"alt = 'A cat'\n", FILE, outside, settings=IMAGE_SETTINGS)
    assert found.settings == {"alt": Setting("A cat", 1, 1)}


def test_a_star_import_inside_the_site_binds_at_its_line() -> None:
    lib = ModuleFacts("lib/api.py", names={"POST": (9, 9), "_x": (1, 1)}, exports=frozenset({"POST"}))
    found = inspect_module(b"import os\nfrom lib.api import *\n", FILE, lambda module, level: lib)
    assert (found.names, found.is_open) == ({"POST": (2, 21), "os": (1, 8)}, False)


def test_what_only_running_tells_leaves_the_names_open() -> None:
    assert facts("from starlette.responses import *").is_open
    assert facts("for name in verbs:\n    globals()[name] = make(name)").is_open
    lib = ModuleFacts("lib.py", is_open=True)
    assert inspect_module(b"from lib import *", FILE, lambda module, level: lib).is_open


def test_a_setting_overwritten_by_a_star_import() -> None:
    lib = ModuleFacts("lib.py", exports=frozenset({"dynamic"}))
    found = inspect_module(b'dynamic = "error"\nfrom lib import *', FILE, lambda module, level: lib)
    assert [f.message for f in found.findings] == ["dynamic is set more than once"]


@pytest.mark.parametrize(
    ("source", "exports"),
    [
        ("a = 1\n_b = 2", {"a"}),
        ("__all__ = ['_b']\na = 1\n_b = 2", {"_b"}),
        ("__all__ = ['_a']\n__all__ += lib.__all__\n_a = b = 1", {"_a", "b"}),
        ("__all__ = ['a']\n__all__ = ['b']\na = b = 1", {"a", "b"}),
        ("__all__ = make()\na = 1", {"a"}),
    ],
)
def test_what_a_star_import_would_give(source: str, exports: set[str]) -> None:
    assert facts(source).exports == exports


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", None),
        ('"""A proxy."""\n# nothing\n', None),
        ("...\npass\n", None),
        ('"""A."""\nimport os', (2, 1)),
    ],
)
def test_the_first_statement_that_does_something(source: str, code: tuple[int, int] | None) -> None:
    assert facts(source).code == code


def test_directives() -> None:
    found = facts('"use client"\nasync def save():\n    "use server"\n    pass\n')
    hint = "delete the line; call a backend from the browser for what needs a server"
    message = '"use {}" has no meaning in an export: there is no server and no client bundle'
    assert found.findings == (
        Diagnostic("unsupported-feature", message.format("client"), Location(FILE, 1, 1), hint),
        Diagnostic("unsupported-feature", message.format("server"), Location(FILE, 3, 5), hint),
    )


UNREADABLE = [
    (b"x = 1\ndef GET(:\n", "import-error", "app/a/route.py is not Python: invalid syntax", (2, 9)),
    (b"x = 1\ny = '\0'\n", "encoding-error", "app/a/route.py holds a null byte", (2, None)),
    (b"x = 1\ny = '\xff'\n", "encoding-error", "byte 11 of app/a/route.py is not UTF-8", (2, None)),
]


@pytest.mark.parametrize(("source", "code", "message", "place"), UNREADABLE)
def test_what_cannot_be_read(source: bytes, code: str, message: str, place: tuple[int, int | None]) -> None:
    found = facts(source)
    assert not found.is_readable
    assert [(f.code, f.message, f.location) for f in found.findings] == [
        (code, message, Location(FILE, *place))
    ]


def test_an_unknown_coding() -> None:
    found = facts(b"# coding: klingon\nx = 1\n")
    assert [(f.code, f.location) for f in found.findings] == [("encoding-error", Location(FILE, 1))]


def test_a_declared_coding_is_honoured() -> None:
    assert facts(b"# coding: latin-1\nrevalidate = 1; x = '\xe9'; GET = 1\n").names["GET"] == (2, 26)


@pytest.mark.parametrize(
    "source", ["x = " + "(" * 5000, "x = " + "1 + " * 50000 + "1", "x = " + "-" * 100000 + "1"]
)
def test_deep_nesting_is_a_finding(source: str) -> None:
    found = facts(source)
    assert [f.code for f in found.findings] == ["import-error"]
    assert not found.is_readable


def test_warnings_of_the_compiler_are_silent(recwarn: pytest.WarningsRecorder) -> None:
    facts(r"x = '\d'; y = 1 is 1")
    assert list(recwarn) == []


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(derandomize=True, max_examples=400 if LONG else 100)
def test_any_bytes_are_read_or_reported(source: bytes) -> None:
    found = facts(source)
    assert found.is_readable or found.findings[0].code in {"encoding-error", "import-error"}
