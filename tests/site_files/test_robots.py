"""Outside truth: Protego (longest match, as RFC 9309) and the standard library's parser (first match)."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego

from pybuild.config.schema import Robots, Sitemap
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.site_files.robots import Group, document, path_fault, robots


def text_of(made) -> str:
    [artifact] = made
    assert (artifact.path, artifact.origin) == ("robots.txt", "[robots]")
    return artifact.body.decode()


def test_everything_is_allowed_by_an_empty_disallow(config) -> None:
    text = text_of(robots([], config()))
    assert text == "User-agent: *\nDisallow:\n\nSitemap: https://acme.example/sitemap.xml\n"
    assert Protego.parse(text).can_fetch("https://acme.example/a", "GPTBot")


def test_disallow_stands_before_allow_and_allow_all_is_left_out(config) -> None:
    asked = Robots(
        disallow=("/private/", "/ü b"),
        allow=("/", "/private/open/"),
        content_signal="search=yes, ai-train=no",
    )
    text = text_of(robots([], config(robots=asked, sitemap=Sitemap(enabled=False))))
    assert text == (
        "User-agent: *\nContent-Signal: search=yes, ai-train=no\n"
        "Disallow: /private/\nDisallow: /%C3%BC%20b\nAllow: /private/open/\n"
    )


def test_old_and_new_parsers_agree(config) -> None:
    text = text_of(robots([], config(robots=Robots(disallow=("/private/",), allow=("/",)))))
    old = RobotFileParser()
    old.parse(text.splitlines())
    for path, allowed in (("/private/x", False), ("/x", True)):
        url = "https://acme.example" + path
        assert (old.can_fetch("Bot", url), Protego.parse(text).can_fetch(url, "Bot")) == (allowed, allowed)
    assert list(Protego.parse(text).sitemaps) == ["https://acme.example/sitemap.xml"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"disallow": ("/a\nAllow: /",)},
            r"""robots.disallow: '/a\nAllow: /' holds '\n', which ends the value or the line""",
        ),
        ({"allow": ("/a#b",)}, "robots.allow: '/a#b' holds '#', which ends the value or the line"),
        ({"disallow": ("private",)}, """robots.disallow: 'private' does not start with "/\""""),
        ({"disallow": (" ",)}, "robots.disallow: ' ' is empty"),
        (
            {"content_signal": "a\rb"},
            r"""robots.content_signal: 'a\rb' holds '\r', which ends the value or the line""",
        ),
    ],
)
def test_values_that_break_a_line_are_refused(config, asked, message) -> None:
    finding, made = robots([], config(robots=Robots(**asked)))
    assert isinstance(finding, Diagnostic)
    assert (finding.code, finding.message, finding.location) == (
        "config-error",
        message,
        Location("pybuild.toml"),
    )
    assert made.body.startswith(b"User-agent: *\nDisallow:\n\n")


def test_rules_below_a_base_path_are_not_read(config) -> None:
    given = config(url="https://a.example/docs", robots=Robots(disallow=("/private/",)))
    finding, made = robots([], given)
    assert finding == warning(
        "config-error",
        "crawlers read https://a.example/robots.txt only, not the one below /docs",
        Location("pybuild.toml"),
        "repeat the rules in the robots.txt at https://a.example/",
    )
    assert b"Sitemap: https://a.example/docs/sitemap.xml" in made.body


def test_nothing_is_lost_below_a_base_path_without_rules(config) -> None:
    [made] = robots([], config(url="https://a.example/docs"))
    assert made.body == b"User-agent: *\nDisallow:\n\nSitemap: https://a.example/docs/sitemap.xml\n"


def test_groups_are_apart_and_the_host_is_told() -> None:
    groups = (Group(("A", "B"), ("/",), ("/",), crawl_delay="2"), Group(("C",), allow=("/",)))
    assert document(groups, ("https://a.example/s.xml",), "a.example") == (
        b"User-agent: A\nUser-agent: B\nDisallow: /\nAllow: /\nCrawl-delay: 2\n\n"
        b"User-agent: C\nDisallow:\n\nHost: a.example\nSitemap: https://a.example/s.xml\n"
    )


@settings(derandomize=True, max_examples=300)
@given(st.text(st.characters(exclude_categories=()), max_size=20).map("/".__add__))
def test_an_accepted_value_stays_in_its_line(value: str) -> None:
    if path_fault(value):
        return
    lines = document((Group(disallow=(value,)),)).decode().splitlines()
    assert len(lines) == 2
    assert lines[1].isascii()
