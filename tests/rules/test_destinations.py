"""Destinations: what they fill in, and what is refused."""

import pytest

from pybuild.rules.patterns import PatternError, parse_destination, parse_pattern


@pytest.mark.parametrize(
    ("source", "destination", "captures", "filled"),
    [
        ("/:s", "/docs/:s", {"s": "a"}, "/docs/a"),
        ("/o/:s*", "/docs/:s*", {"s": "a/b"}, "/docs/a/b"),
        ("/o/:s*", "/docs/:s*", {"s": ""}, "/docs"),
        ("/o/:s*", "/docs/:s", {"s": ""}, "/docs"),
        ("/o/:s*", "/:s*", {"s": ""}, "/"),
        ("/o/:s(.*)", "/docs/:s", {"s": ""}, "/docs/"),
        ("/:a/:b", "/:b-:a.html", {"a": "1", "b": "2"}, "/2-1.html"),
        ("/", "https://b.example", {}, "/"),
        ("/", "/caf%C3%A9/50%25", {}, "/caf\u00e9/50%"),
        ("/", "/caf\u00e9 \\:x", {}, "/caf\u00e9 :x"),
        ("/", "/a\\", {}, "/a\\"),
    ],
)
def test_fill(source: str, destination: str, captures: dict[str, str], filled: str) -> None:
    assert parse_destination(destination).bound(parse_pattern(source)).fill(captures) == filled


def test_parts() -> None:
    to = parse_destination("https://b.example:8080/x y/:s*?q=:s&r=\u00e9#t\u00f6p").bound(
        parse_pattern("/o/:s*")
    )
    assert (to.origin, to.fragment, to.literal) == ("https://b.example:8080", "t%C3%B6p", None)
    assert to.fill_sent({"s": "a%2Fb"}) == "/x%20y/a%2Fb"
    assert to.fill_query({"s": "a%2Fb"}) == "q=a%2Fb&r=%C3%A9"
    assert to.fill_query({"s": "a&b=c+d;e#f/%26"}) == "q=a%26b%3Dc%2Bd%3Be%23f/%26&r=%C3%A9"


@pytest.mark.parametrize(
    "text",
    [
        "docs",
        "//evil.example/x",
        "/\\evil.example",
        "ftp://b.example/",
        "javascript:alert(1)",
        "https://:sub.b.example/",
    ]
    + ["https://user@b.example/", "/a\nb", "https:///x", "https://b.example\\@evil.example/"],
)
def test_refused(text: str) -> None:
    with pytest.raises(PatternError):
        parse_destination(text)
