"""Entries of `generate_static_params`."""

from __future__ import annotations

from enum import Enum, StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.routing.params import check_params
from pybuild.routing.segments import Pattern, Refused
from pybuild.urls import segment_fault


def pattern(text: str) -> Pattern:
    parsed = Pattern.parse(text)
    assert isinstance(parsed, Pattern)
    return parsed


ACCEPTED = [
    ("/[slug]", {"slug": "a"}, {"slug": "a"}),
    ("/[slug]", {"slug": "con sole"}, {"slug": "con sole"}),
    ("/[slug].json", {"slug": ".."}, {"slug": ".."}),
    ("/[slug]", {"slug": "a", "title": "ignored"}, {"slug": "a"}),
    ("/[...slug]", {"slug": ["a", "b"]}, {"slug": ("a", "b")}),
    ("/[[...slug]]", {}, {"slug": ()}),
    ("/[[...slug]]", {"slug": None}, {"slug": ()}),
    ("/[[...slug]]", {"slug": []}, {"slug": ()}),
    ("/[lang]/[slug]", {"slug": "a", "lang": "de"}, {"lang": "de", "slug": "a"}),
    ("/docs", {}, {}),
]


@pytest.mark.parametrize(("route", "entry", "params"), ACCEPTED)
def test_accepted(route: str, entry: object, params: dict[str, object]) -> None:
    assert check_params(pattern(route), entry) == params


REFUSED = [
    (
        "/[slug]",
        "a",
        "an entry is of type str, not a mapping",
        'return a list such as [{"slug": "a"}]',
    ),
    ("/[slug]", None, "an entry is None, not a mapping", 'return a list such as [{"slug": "a"}]'),
    ("/[slug]", {}, '"slug" is missing', 'write "slug": "…"'),
    ("/[slug]", {"slgu": "a"}, '"slug" is missing', 'rename "slgu" to "slug"'),
    ("/[slug]", {"slug": None}, '"slug" is None', 'write "slug": "…"'),
    ("/[slug]", {"slug": 5}, '"slug" is of type int, not a str', 'write "slug": str(…)'),
    ("/[slug]", {"slug": ["a"]}, '"slug" is of type list, not a str', 'write "slug": "…"'),
    (
        "/[slug]",
        {"slug": ""},
        "\"slug\" cannot be '': it is empty",
        "write decoded text that is one path segment, or leave the entry out",
    ),
    (
        "/[slug]",
        {"slug": "a/b"},
        "\"slug\" cannot be 'a/b': it holds a slash",
        "name the folder [...slug] and return ['a', 'b'], or leave the entry out",
    ),
    (
        "/[slug]",
        {"slug": ".."},
        "\"slug\" cannot be '..': it leaves its segment",
        "write decoded text that is one path segment, or leave the entry out",
    ),
    (
        "/[slug].json",
        {"slug": "con"},
        "\"slug\" cannot be 'con': it is the name of a device on Windows",
        "write decoded text that is one path segment, or leave the entry out",
    ),
    (
        "/[...slug]",
        {"slug": "a/b"},
        '"slug" is a str, but a catch-all takes a list',
        "write \"slug\": ['a', 'b']",
    ),
    ("/[...slug]", {}, '"slug" is missing', 'write "slug": ["a", "b"]'),
    ("/[...slug]", {"slug": 1}, '"slug" is of type int, not a list of str', 'write "slug": ["a", "b"]'),
    (
        "/[...slug]",
        {"slug": []},
        '"slug" is an empty list',
        "leave the entry out, or name the folder [[...slug]]",
    ),
    (
        "/[...slug]",
        {"slug": ["a", 2]},
        'an item of "slug" is of type int, not a str',
        'write "slug": [str(…)]',
    ),
    (
        "/[...slug]",
        {"slug": ["a", ""]},
        "\"slug\" cannot hold '': it is empty",
        "write decoded text, one path segment an item, or leave the entry out",
    ),
]


@pytest.mark.parametrize(("route", "entry", "reason", "hint"), REFUSED)
def test_refused(route: str, entry: object, reason: str, hint: str) -> None:
    assert check_params(pattern(route), entry) == [Refused(reason, "invalid-static-params", hint)]


def test_every_fault_is_told() -> None:
    faults = check_params(pattern("/[lang]/[slug]"), {"slug": 5})
    assert isinstance(faults, list)
    assert [fault.reason for fault in faults] == ['"lang" is missing', '"slug" is of type int, not a str']


def test_known_params_of_a_parent_are_kept_and_cannot_be_changed() -> None:
    route = pattern("/[lang]/[slug]")
    assert check_params(route, {"slug": "a"}, {"lang": "de"}) == {"lang": "de", "slug": "a"}
    assert check_params(route, {"slug": "a", "lang": "de"}, {"lang": "de"}) == {"lang": "de", "slug": "a"}
    (fault,) = check_params(route, {"slug": "a", "lang": "fr"}, {"lang": "de"})
    assert isinstance(fault, Refused)
    assert fault.reason == "\"lang\" is 'fr' where the parent segment gave 'de'"


def test_a_path_of_too_many_segments() -> None:
    faults = check_params(pattern("/[...slug]"), {"slug": ["x" * 150] * 7})
    assert isinstance(faults, list)
    assert faults[0].reason.endswith("makes a path that cannot be written: it is over 1000 bytes long")


ROUTES = st.sampled_from(["/[slug]", "/a/[slug].json", "/v-[...slug].md", "/[[...slug]]", "/%5Fx"])
VALUES = st.text(max_size=8) | st.lists(st.text(max_size=6), max_size=4) | st.none() | st.integers()


@given(ROUTES, VALUES)
@settings(derandomize=True, max_examples=400)
def test_what_is_accepted_fills_to_a_url_that_every_file_system_carries(route: str, value: object) -> None:
    params = check_params(pattern(route), {"slug": value})
    if isinstance(params, dict):
        url = pattern(route).fill(params)
        assert url.startswith("/")
        assert url == "/" or [segment_fault(part) for part in url[1:].split("/")] == [None] * url.count("/")


class Colour(str, Enum):  # noqa: UP042 - sites have them
    RED = "red"


class Size(StrEnum):
    BIG = "big"


def test_members_of_enumerations_are_their_text() -> None:
    found = check_params(
        pattern("/[colour]/[...sizes]"), {"colour": Colour.RED, "sizes": [Size.BIG, Colour.RED]}
    )
    assert found == {"colour": "red", "sizes": ("big", "red")}
    assert isinstance(found, dict)
    assert [type(value) for value in (found["colour"], *found["sizes"])] == [str, str, str]
