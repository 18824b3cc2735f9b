"""Links that lead nowhere, and what is said of them."""

from __future__ import annotations

import pytest
from growth import assert_linear

from pybuild.build.link_check import Published, check_links
from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import Link, pack_links

ANCHORS = {"/": "\nhome\n", "/about": "\nteam\ncafé\n", "/docs/a": "\n\n", "/docs/b/a": "\n\n"}
PATHS = {"style.css", "docs/a.html", "api/posts/index.json", "folder/index.html", "feed"}


def check(target: str, fragment: str = "", text: str = "") -> Diagnostic | None:
    link = Link(target, fragment, "app/page.md", 3, text or target + ("#" + fragment if fragment else ""))
    found = check_links(
        [pack_links([link, link]), pack_links([link])],
        Published(ANCHORS, PATHS),
        lambda _: ("app/page.md", 0),
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
        (
            "/x/a",  # two pages are named so
            "correct the link, or make the page; where others answer below /x/, "
            'write ignore = ["/x/**"] below [links]',
        ),
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


@pytest.mark.parametrize(
    "target, page",
    [
        ("/P/P7", "/p/p7"),
        ("/p/p7.html.md", "/p/p7"),
        ("/p/p7/index", "/p/p7"),
        ("/p/p7/INDEX.MD", "/p/p7"),
        ("/p/p7/README.md", "/p/p7"),
        ("/p/p%37", "/p/p7"),
        ("/q/About_Us/", "/q/about-us"),
        ("/x/about-us", "/q/about-us"),
        ("/q/abuot-us", "/q/about-us"),
        ("/Logo.PNG", "/logo.png"),
        ("/readme", "/"),
        ("/zzz", ""),
    ],
)
def test_a_page_that_differs_by_its_spelling_is_named_in_a_site_of_any_size(target: str, page: str) -> None:
    anchors = {"/": "\n\n"} | {f"/p/p{n}": "\n\n" for n in range(5000)} | {"/q/about-us": "\n\n"}
    link = Link(target, "", "a.md", 1, target)
    (found,) = check_links([pack_links([link])], Published(anchors, {"logo.png"}), lambda _: ("", 0))
    assert found.hint == (f'did you mean "{page}"?' if page else "correct the link, or make the page")


def test_a_link_is_quoted_as_its_author_wrote_it() -> None:
    link = Link("/ü", "", "a.md", None, "%C3%BC.md")
    found = check_links(
        [pack_links([link])],
        Published({}, ()),
        lambda _: ("", 0),
        lambda file, href: [(3, "ü.md"), (5, "%C3%BC.md")],
    )
    assert [(one.message, one.location.line) for one in found] == [
        ('the link "ü.md" leads nowhere', 3),
        ('the link "%C3%BC.md" leads nowhere', 5),
    ]


@pytest.mark.parametrize(
    "target, text, fault",
    [
        ("/about", "https://a.example/about/", ""),
        ("/about", "https://a.example/about/?q#x", ""),
        ("/about", "/about", ""),
        ("/", "https://a.example", ""),
        ("/style.css", "https://a.example/style.css", ""),
        ("/about", "https://a.example/about", "spelt"),
        ("/About/", "https://a.example/About/", "spelt"),
        ("/about", "http://a.example/about/", "spelt"),
        ("/about", "https://A.example/about/", "spelt"),
        ("/about.html", "https://a.example/about.html", "spelt"),
        ("/gone", "https://a.example/gone", "leads nowhere"),
        ("/gone", "/gone", "leads nowhere"),
    ],
)
def test_search_engines_get_the_address_that_the_site_itself_uses(target: str, text: str, fault: str) -> None:
    def address(url: str) -> str:
        return "https://a.example" + (url if url == "/" else url + "/")

    published = Published(ANCHORS, {*PATHS, "about.html"}, address=address)
    link = Link(target, "", "a.md", 1, text, "canonical")
    found = check_links([pack_links([link])], published, lambda _: ("", 0))
    said = {"spelt": "is not how this site spells the address of /about"}.get(fault, fault)
    assert [one.message for one in found] == ([f'canonical "{text}" {said}'] if fault else [])
    if fault == "spelt":
        assert found[0].hint == 'write "https://a.example/about/"'


def test_hints_take_time_by_the_page_alone() -> None:
    def check(size: int) -> None:
        ids = "\n".join(["", *(f"the-heading-of-part-{n}" for n in range(size)), ""])
        links = [Link("/", f"a-heading-of-prat-{n}", "a.md", 1, "x") for n in range(size)]
        assert len(check_links([pack_links(links)], Published({"/": ids}, ()), lambda _: ("", 0))) == size

    assert_linear(check, 1000)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "https://example.com/shop",
            "correct the link; if example.com is an example there, write the site's own address as url below [site]",
        ),
        ("https://examples.com/shop", "correct the link, or make the page"),
        ("https://example.com/abuot", 'did you mean "/about"?'),
    ],
)
def test_a_host_that_may_be_an_example(text: str, hint: str) -> None:
    found = check(text[text.rindex("/") :], text=text)
    assert found and found.hint == hint
