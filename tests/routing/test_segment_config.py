"""Values of module settings."""

from __future__ import annotations

import pytest

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.module_facts import IMAGE_SETTINGS, inspect_module
from pybuild.routing.segment_config import check_settings


def check(source: str) -> tuple[Diagnostic, ...]:
    module = inspect_module(
        source.encode(), "app/a/page.py", lambda module, level: None, settings=IMAGE_SETTINGS
    )
    return check_settings(module)


ACCEPTED = [
    "dynamic = 'force-static'",
    "dynamic = 'error'",
    "dynamic_params = False",
    "allow_empty = True",
    "inputs = ['content/**', 'lib/*.py']",
    "inputs = ('content/**',)",
    "inputs = []",
    "revalidate = False",
    "revalidate = 1",
    "fetch_cache = 'force-cache'",
    "runtime = 'python'",
    "runtime = 'nodejs'",
    "preferred_region = 'auto'",
    "preferred_region = ['iad1', 'fra1']",
    "max_duration = 30",
    "max_duration = 0.5",
    "alt = ''",
    "content_type = 'image/png'",
    "size = {'width': 1200, 'height': 630}",
]


@pytest.mark.parametrize("source", ACCEPTED)
def test_accepted(source: str) -> None:
    assert check(source) == ()


REFUSED = [
    ("dynamic = 'force-statik'", 'it must be "force-static" or "error"', 'did you mean "force-static"?'),
    ("dynamic = True", 'it must be "force-static" or "error"', 'write dynamic = "force-static"'),
    ("dynamic = ['error']", 'it must be "force-static" or "error"', 'write dynamic = "force-static"'),
    (
        "dynamic_params = True",
        "nothing serves a path that was not exported",
        "write False or delete the line, and return every path from generate_static_params()",
    ),
    ("dynamic_params = 0", "it must be False", "write dynamic_params = False, or delete the line"),
    ("allow_empty = 1", "it must be True or False", "write allow_empty = True"),
    ("inputs = 'content/**'", "it must be a list of globs", 'write inputs = ["content/**"]'),
    ("inputs = ['a', 1]", "it must be a list of globs", 'write inputs = ["content/**"]'),
    (
        "revalidate = 0",
        "0 asks for an answer made at each request",
        "write the age in seconds to rebuild after, or False",
    ),
    ("revalidate = -1", "it must be False or a whole number of seconds", "write revalidate = 3600"),
    ("revalidate = 1.5", "it must be False or a whole number of seconds", "write revalidate = 3600"),
    ("revalidate = '60'", "it must be False or a whole number of seconds", "write revalidate = 3600"),
    ("revalidate = True", "it must be False or a whole number of seconds", "write revalidate = 3600"),
    ("fetch_cache = 'force-cash'", "it has no such value", 'did you mean "force-cache"?'),
    ("fetch_cache = 1", "it has no such value", 'write fetch_cache = "force-cache", or delete the line'),
    (
        "runtime = 'edge'",
        "every route runs in Python when the site is built",
        'write runtime = "python", or delete the line',
    ),
    (
        "preferred_region = 1",
        "it must be text or a list of text",
        "delete the line: it changes nothing in an export",
    ),
    ("max_duration = 0", "it must be a number of seconds above 0", "write max_duration = 30"),
    ("max_duration = True", "it must be a number of seconds above 0", "write max_duration = 30"),
    ("alt = 1", "it must be text", 'write alt = "What the picture shows"'),
    ("content_type = 'png'", "it must be the media type of an image", 'write content_type = "image/png"'),
    (
        "size = (1200, 630)",
        "it must be a width and a height in pixels",
        'write size = {"width": 1200, "height": 630}',
    ),
    (
        "size = {'width': 0, 'height': 1}",
        "it must be a width and a height in pixels",
        'write size = {"width": 1200, "height": 630}',
    ),
]


@pytest.mark.parametrize(("source", "fault", "hint"), REFUSED)
def test_refused(source: str, fault: str, hint: str) -> None:
    at = Location("app/a/page.py", 1, 1)
    assert check(source) == (Diagnostic("invalid-setting", f"{source}: {fault}", at, hint),)


@pytest.mark.parametrize("value", ["auto", "force-dynamic"])
def test_what_needs_a_server(value: str) -> None:
    message = f'dynamic = "{value}" needs a server, and an export has none'
    at = Location("app/a/page.py", 2, 1)
    expected = Diagnostic("not-force-static", message, at, 'write dynamic = "force-static"')
    assert check(f"\ndynamic = '{value}'") == (expected,)


def test_all_faults_are_told() -> None:
    assert [f.location.line for f in check("runtime = 'edge'\nrevalidate = 0\n")] == [2, 1]
