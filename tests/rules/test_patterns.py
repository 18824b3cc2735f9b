"""Sources: what they match, and what is refused."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.rules.patterns import PatternError, parse_destination, parse_pattern, print_regex, sent_literal


@pytest.mark.parametrize(
    ("source", "url", "captures"),
    [
        ("/", "/", {}),
        ("/docs", "/docs", {}),
        ("/docs", "/docs/", {}),
        ("/docs/", "/docs", {}),
        ("/docs", "/Docs", None),
        ("/docs/:slug", "/docs/a", {"slug": "a"}),
        ("/docs/:slug", "/docs/a/b", None),
        ("/docs/:slug", "/docs", None),
        ("/docs/:slug?", "/docs", {"slug": ""}),
        ("/docs/:slug?", "/docs/a/", {"slug": "a"}),
        ("/docs/:slug*", "/docs", {"slug": ""}),
        ("/docs/:slug*", "/docs/a/b", {"slug": "a/b"}),
        ("/docs/:slug*", "/docsx", None),
        ("/docs/:slug*", "/docs//a", None),
        ("/docs/:slug+", "/docs", None),
        ("/docs/:slug+", "/docs/a/b/", {"slug": "a/b"}),
        ("/:path*", "/", {"path": ""}),
        ("/:path*", "/a/b", {"path": "a/b"}),
        ("/:a*/x/:b", "/1/2/x/3", {"a": "1/2", "b": "3"}),
        (r"/p/:id(\d+)", "/p/12", {"id": "12"}),
        (r"/p/:id(\d+)", "/p/x", None),
        (r"/p/:id(\d+)", "/p/٣", None),
        ("/:lang(en|de)/:rest*", "/de", {"lang": "de", "rest": ""}),
        ("/feed-:lang.xml", "/feed-en.xml", {"lang": "en"}),
        ("/(.*)", "/a/b", {"0": "a/b"}),
        ("/caf\u00e9 1", "/caf\u00e9 1", {}),
        ("/caf%C3%A9%201", "/caf\u00e9 1", {}),
        (r"/a\:b\(c\)\*", "/a:b(c)*", {}),
        ("/a.b", "/axb", None),
    ],
)
def test_match(source: str, url: str, captures: dict[str, str] | None) -> None:
    assert parse_pattern(source).match(url) == captures


@pytest.mark.parametrize(
    ("source", "path", "captures"),
    [
        ("/caf\u00e9/:x", "/caf%c3%A9/50%25", {"x": "50%25"}),
        ("/caf\u00e9/:x", "/caf\u00e9/a", None),
        ("/a@b", "/a%40b", {}),
        ("/a@b", "/a@b", {}),
        ("/old/:x", "/old/a%2Fb", {"x": "a%2Fb"}),
    ],
)
def test_match_as_sent(source: str, path: str, captures: dict[str, str] | None) -> None:
    assert parse_pattern(source).match_sent(path) == captures


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("docs", 'source must start with "/": "docs"', 'write "/docs"'),
        (
            "https://b.example/x",
            'source must start with "/": "https://b.example/x"',
            'write the path and add has = [{ type = "host", value = "…" }]',
        ),
        (
            "/docs/*",
            '"*" in "/docs/*" has no parameter before it',
            'write ":path*" for any number of segments',
        ),
        (
            "/a?b=1",
            '"/a?b=1" holds "?"; a source is a path alone',
            'match the query with has = [{ type = "query", key = "…" }]',
        ),
        ("/:a/:a", '"/:a/:a" names :a twice', "give each parameter a name of its own"),
        (
            "/a-:b*",
            '":b*" in "/a-:b*" must follow a "/"',
            "let an optional or repeated parameter have its segments for itself",
        ),
        ("/:a(", 'a "(" in "/:a(" is never closed', 'add ")"'),
        ("/:a(x(y))", '"(x(y))" captures inside a parameter', 'write "(?:…)" for the inner group'),
        ("/:a(^x$)", '"(^x$)" holds an anchor', 'delete "^" and "$"; a value is matched as a whole'),
        (
            "/a/:",
            '":" in "/a/:" has no name',
            'write a name after it, as in ":slug", or "\\\\:" for the sign itself',
        ),
        ("/a\\", '"/a\\" ends with a backslash', "delete it, or double it"),
        ("/a\nb", "'/a\\nb' holds a control character", "delete it"),
    ],
)
def test_refused(source: str, message: str, hint: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(source)
    assert (str(caught.value), caught.value.hint) == (message, hint)


texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6)


@given(
    texts.filter(lambda text: not set(text) & set("/%\\:()*+?{}#")),
    texts.filter(lambda text: "/" not in text),
)
@settings(derandomize=True, max_examples=80)
def test_any_text_is_literal(word: str, value: str) -> None:
    pattern = parse_pattern(f"/{word}/:value")
    assert pattern.match(f"/{word}/{value}") == {"value": value}
    assert pattern.match(f"/{word}x/{value}") is None


@given(texts)
@settings(derandomize=True, max_examples=80)
def test_printed_regexes_are_ascii_where_sent(word: str) -> None:
    printed = sent_literal("/" + word)
    re.compile(printed)
    assert all(char.isascii() for char in printed)


def test_print_regex_names_groups() -> None:
    pattern = parse_pattern("/a/:one/:two*")
    printed = print_regex(
        pattern,
        group=lambda param: f"(?P<{param.name}>{param.value_regex})",
        around=lambda param: f"(?P<with_{param.name}>",
    )
    assert printed == "/a/(?P<one>[^/]+?)(?P<with_two>/(?P<two>[^/]+?(?:/[^/]+?)*))?"


@pytest.mark.parametrize("text", ["/a%00", "/a%0d%0aX-Bad", "/%C2%85/:x", "/%E2%80%A8"])
@pytest.mark.parametrize("read", [parse_pattern, parse_destination])
def test_escapes_of_control_characters_are_refused(read: Callable[[str], object], text: str) -> None:
    """Printed into a host's file they would begin a line."""
    with pytest.raises(PatternError, match="escape of a control character"):
        read(text)
