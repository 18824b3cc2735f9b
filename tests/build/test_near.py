"""Addresses that a wrong one may have meant."""

from __future__ import annotations

import pytest

from pybuild.build.near import Addresses

PAGES = (
    "/docs/api/application",
    "/docs/guide/essentials/application",
    "/docs/api/built-in",
    "/blog/a/index-of-b",
    "/de/a/b",
    "/en/a/b",
)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/api/application", "/docs/api/application"),
        ("/api/application.html", "/docs/api/application"),
        ("/old/guide/essentials/application/", "/docs/guide/essentials/application"),
        ("/application", ""),
        ("/x/a/b", ""),
        ("/de/x/a/b", ""),
    ],
)
def test_a_page_is_known_by_the_last_segments_of_its_address(asked: str, meant: str) -> None:
    assert Addresses(PAGES, ()).nearest(asked) == meant
