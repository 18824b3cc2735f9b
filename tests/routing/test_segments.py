"""Folder names and route strings."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.routing.segments import Pattern, Refused, Segment, parse_segment, sequence_fault

SPELLINGS = [
    ("docs", Segment("static", "docs")),
    ("llms.txt", Segment("static", "llms.txt")),
    (".well-known", Segment("static", ".well-known")),
    ("my page", Segment("static", "my page")),
    ("café", Segment("static", "café")),
    (unicodedata.normalize("NFD", "café"), Segment("static", "café")),
    ("a(b)", Segment("static", "a(b)")),
    ("(a)b", Segment("static", "(a)b")),
    ("%5Fname", Segment("static", "_name")),
    ("%5fname", Segment("static", "_name")),
    ("[slug]", Segment("dynamic", "slug")),
    ("[my-slug_2]", Segment("dynamic", "my-slug_2")),
    ("[größe]", Segment("dynamic", "größe")),
    ("[slug].json", Segment("dynamic", "slug", "", ".json")),
    ("feed-[lang].xml", Segment("dynamic", "lang", "feed-", ".xml")),
    ("%5F[slug]", Segment("dynamic", "slug", "_", "")),
    ("[...slug]", Segment("catch_all", "slug")),
    ("v-[...slug].md", Segment("catch_all", "slug", "v-", ".md")),
    ("[[...slug]]", Segment("optional_catch_all", "slug")),
    ("(marketing)", Segment("group", "marketing")),
    ("_lib", Segment("private", "_lib")),
    ("_[slug]", Segment("private", "_[slug]")),
    ("__pycache__", Segment("private", "__pycache__")),
]

REFUSALS = [
    ("@modal", "unsupported-feature", '"@modal" is a parallel route, which needs a client router'),
    ("(.)photo", "unsupported-feature", '"(.)photo" is an intercepting route, which needs a client router'),
    ("(..)photo", "unsupported-feature", '"(..)photo" is an intercepting route, which needs a client router'),
    ("(...)a", "unsupported-feature", '"(...)a" is an intercepting route, which needs a client router'),
    ("(..)(..)a", "unsupported-feature", '"(..)(..)a" is an intercepting route, which needs a client router'),
    ("[slug", "invalid-segment", '"[slug" is not a segment: its brackets hold no parameter'),
    ("slug]", "invalid-segment", '"slug]" is not a segment: its brackets hold no parameter'),
    ("[..slug]", "invalid-segment", '"[..slug]" is not a segment: its brackets hold no parameter'),
    ("[....slug]", "invalid-segment", '"[....slug]" is not a segment: its brackets hold no parameter'),
    ("[[[slug]]]", "invalid-segment", '"[[[slug]]]" is not a segment: its brackets hold no parameter'),
    ("[]", "invalid-segment", 'the brackets hold no name in "[]"'),
    ("[...]", "invalid-segment", 'the brackets hold no name in "[...]"'),
    ("[[...]]", "invalid-segment", 'the brackets hold no name in "[[...]]"'),
    ("[[slug]]", "invalid-segment", '"[[slug]]" is not a segment'),
    ("[a][b]", "invalid-segment", '"[a][b]" holds two parameters'),
    ("[a]-[...b]", "invalid-segment", '"[a]-[...b]" holds two parameters'),
    ("[a b]", "invalid-segment", '"a b" is not a name in "[a b]"'),
    ("x[[...a]]", "invalid-segment", 'there is text around the optional catch-all of "x[[...a]]"'),
    ("()", "invalid-segment", '"()" is not a route group'),
    ("(a)(b)", "invalid-segment", '"(a)(b)" is not a route group'),
    ("", "invalid-segment", '"" cannot be part of a URL: it is empty'),
    ("con", "invalid-segment", '"con" cannot be part of a URL: it is the name of a device on Windows'),
    (
        "a%20b",
        "invalid-segment",
        '"a%20b" cannot be part of a URL: it looks percent-encoded; values are decoded text',
    ),
    (
        "[a].",
        "invalid-segment",
        'the text around the parameter of "[a]." cannot be part of a URL: '
        "it ends with a dot or a space, which Windows drops",
    ),
]


@pytest.mark.parametrize(("folder", "segment"), SPELLINGS)
def test_spelling(folder: str, segment: Segment) -> None:
    assert parse_segment(folder) == segment


@pytest.mark.parametrize(("folder", "code", "reason"), REFUSALS)
def test_refusal(folder: str, code: str, reason: str) -> None:
    refused = parse_segment(folder)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.reason) == (code, reason)
    assert refused.hint


HINTS = [
    ("[[slug]]", "write [slug], or [[...slug]] for an optional catch-all"),
    ("a-[[slug]]", "write [slug], or [[...slug]] for an optional catch-all"),
    ("x[[...a]].md", "write x[...a].md, and a second folder for the URL without it"),
    ("[slug", "write [name], [...name] or [[...name]]"),
    (
        "@ann",
        "make it an ordinary folder, or start its name with _ to keep it private; "
        "for a URL that starts with @, use [name] with values that do",
    ),
]


@pytest.mark.parametrize(("folder", "hint"), HINTS)
def test_the_hint_says_what_to_write(folder: str, hint: str) -> None:
    refused = parse_segment(folder)
    assert isinstance(refused, Refused)
    assert refused.hint == hint


TEXT = st.text(alphabet=st.sampled_from("ab.[]()_%5F@-é\ud800/\0 ") | st.characters(), max_size=12)


@given(TEXT)
@settings(derandomize=True, max_examples=500)
def test_any_name_is_parsed_or_refused(folder: str) -> None:
    parsed = parse_segment(folder)
    if isinstance(parsed, Segment) and parsed.kind not in {"private", "group"}:
        assert parse_segment(str(parsed)) == parsed


ROUTES = ["/", "/docs", "/docs/[...slug]", "/[[...slug]]", "/[lang]/feed-[kind].xml", "/%5Fnext/[a].json"]


@pytest.mark.parametrize("text", ROUTES)
def test_a_route_string_reads_back(text: str) -> None:
    assert str(Pattern.parse(text)) == text


REFUSED_ROUTES = [
    ("docs", '"docs" must start with "/" and not end with one', 'write "/docs"'),
    ("/docs/", '"/docs/" must start with "/" and not end with one', 'write "/docs"'),
    ("", '"" must start with "/" and not end with one', 'write "/"'),
    ("/a//b", '"" cannot be part of a URL: it is empty', "rename it"),
    ("/(docs)/a", '"(docs)" is a route group, which is no part of a URL', "leave it out"),
    ("/_a", '"_a" is private', 'write "%5Fa" for a literal underscore'),
    ("/[a]/[a]", 'the parameter "a" is used twice in /[a]/[a]', "give each parameter its own name"),
    (
        "/[...a]/b",
        "the catch-all in /[...a]/b is not the last segment",
        "move it to the end, or use [name]",
    ),
]


@pytest.mark.parametrize(("text", "reason", "hint"), REFUSED_ROUTES)
def test_a_wrong_route_string(text: str, reason: str, hint: str) -> None:
    assert Pattern.parse(text) == Refused(reason, "invalid-segment", hint)


def pattern(text: str) -> Pattern:
    parsed = Pattern.parse(text)
    assert isinstance(parsed, Pattern)
    return parsed


FILLED = [
    ("/", {}, "/"),
    ("/docs", {}, "/docs"),
    ("/docs/[slug]", {"slug": "a b"}, "/docs/a b"),
    ("/docs/[slug].json", {"slug": "a"}, "/docs/a.json"),
    ("/docs/[...slug]", {"slug": ("a", "b")}, "/docs/a/b"),
    ("/v-[...slug].md", {"slug": ["a", "b", "c"]}, "/v-a/b/c.md"),
    ("/v-[...slug].md", {"slug": ["a"]}, "/v-a.md"),
    ("/[[...slug]]", {"slug": ()}, "/"),
    ("/docs/[[...slug]]", {}, "/docs"),
    ("/docs/[[...slug]]", {"slug": ["a", "b"]}, "/docs/a/b"),
    ("/[lang]/[slug]", {"slug": "b", "lang": "a"}, "/a/b"),
    ("/[slug]", {"slug": unicodedata.normalize("NFD", "é")}, "/é"),
]


@pytest.mark.parametrize(("text", "params", "url"), FILLED)
def test_fill(text: str, params: dict[str, str], url: str) -> None:
    assert pattern(text).fill(params) == url


SHAPES = [
    ("/docs/[slug]", "/docs/[id]", True),
    ("/[...a]", "/[...b]", True),
    ("/[a].json", "/[b].json", True),
    ("/[a].json", "/[b].md", False),
    ("/[a]", "/[...a]", False),
    ("/[...a]", "/[[...a]]", False),
]


@pytest.mark.parametrize(("one", "two", "same"), SHAPES)
def test_a_shape_leaves_names_out(one: str, two: str, same: bool) -> None:
    assert (pattern(one).shape == pattern(two).shape) is same


def test_params_and_dynamic() -> None:
    assert pattern("/[lang]/docs/[...slug]").params == ("lang", "slug")
    assert pattern("/[lang]/docs").is_dynamic
    assert not pattern("/docs").is_dynamic
    assert sequence_fault(pattern("/[a]/[...b]")) is None
