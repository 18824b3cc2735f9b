"""Links that lead nowhere, and what is said of them."""

from __future__ import annotations

import pytest

from pybuild.build.outputs import check_links
from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import Link, pack_links

ANCHORS = {"/": "\nhome\n", "/about": "\nteam\ncafé\n", "/docs/a": "\n\n", "/docs/b/a": "\n\n"}
PATHS = {"style.css", "docs/a.html", "api/posts/index.json", "folder/index.html", "feed"}


def check(target: str, fragment: str = "", text: str = "") -> Diagnostic | None:
    link = Link(target, fragment, "app/page.md", 3, text or target + ("#" + fragment if fragment else ""))
    found = check_links(
        [pack_links([link, link]), pack_links([link])], ANCHORS, PATHS, (), lambda _: ("app/page.md", 0)
    )
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize(
    "target, fragment",
    [
        ("/about", ""),
        ("/about/", ""),
        ("/about", "team"),
        ("/about", "café"),
        ("/about", "top"),
        ("/about", ":~:text=x"),
        ("/", "home"),
        ("/style.css", ""),
        ("/api/posts", "any"),
        ("/folder/", ""),
        ("/feed", ""),
    ],
)
def test_what_the_export_answers(target: str, fragment: str) -> None:
    assert check(target, fragment) is None


@pytest.mark.parametrize(
    "target, hint",
    [
        ("/abuot", 'did you mean "/about"?'),
        ("/team/about", 'did you mean "/about"?'),
        ("/about.md", 'did you mean "/about"?'),
        ("/docs/a.html.md", 'did you mean "/docs/a"?'),
        ("/docs/draft", "correct the link, or make the page"),
        ("/x/a", "correct the link, or make the page"),  # two pages are named so
        ("/zzz", "correct the link, or make the page"),
    ],
)
def test_a_broken_link_names_the_page_that_was_meant(target: str, hint: str) -> None:
    message = f'the link "{target}" leads nowhere'
    at = Location("app/page.md", 3)
    assert check(target) == Diagnostic("broken-link", message, at, hint, severity="warning")


def test_a_link_without_the_base_path_is_told_so() -> None:
    found = check("/gone/about", text="/about")
    assert found and found.hint == 'write {{ url_for("/about") }}, which puts the base path before it'


@pytest.mark.parametrize(
    "fragment, hint",
    [("teem", 'did you mean "team"?'), ("zzz", "/about has no such heading; correct the part after #")],
)
def test_a_broken_anchor_names_the_nearest(fragment: str, hint: str) -> None:
    message = f'the link "/about#{fragment}" names the anchor "{fragment}", which /about lacks'
    at = Location("app/page.md", 3)
    assert check("/about", fragment) == Diagnostic("broken-anchor", message, at, hint, severity="warning")


def test_large_sites_are_told_of_the_same_name_only() -> None:
    anchors = {f"/p/{n}": "\n\n" for n in range(400)} | {"/q/about": "\n\n"}
    links = [Link(target, "", "a.md", 1, target) for target in ("/abuot", "/x/about")]
    hints = [finding.hint for finding in check_links([pack_links(links)], anchors, (), (), lambda _: ("", 0))]
    assert hints == ["correct the link, or make the page", 'did you mean "/q/about"?']
