"""What files and answers become: types, headers, names, redirects, negotiation."""

from collections.abc import Callable

import pytest

from pybuild.diagnostics import Location
from pybuild.records import Redirection
from pybuild.rules.model import RuleSet

JSON = "application/json"


def sources(rules: RuleSet, table: str) -> list[tuple[str, object]]:
    value = {"types": "media_type", "headers": "headers"}[table]
    return [(rule.source.source, getattr(rule, value)) for rule in getattr(rules, table)]


def test_nothing_to_say(derived: Callable) -> None:
    rules, findings = derived("", "index.html a.html 404.html assets/x.js")
    assert (rules.is_empty, findings) == (True, ())


@pytest.mark.parametrize(
    ("text", "negotiation"),
    [
        ("", "lenient"),
        ("[negotiation]\nstrict = true", "strict"),
        ("[negotiation]\nenabled = false", "off"),
    ],
)
def test_negotiation(derived: Callable, text: str, negotiation: str) -> None:
    rules, _ = derived(text, "index.html index.md")
    assert (rules.negotiation, rules.variants) == (negotiation, True)


def test_no_variant_no_negotiation(derived: Callable) -> None:
    rules, _ = derived("[negotiation]\nstrict = true", "index.html notes.md")
    assert (rules.negotiation, rules.variants) == ("off", False)


def test_types_of_a_folder_are_one_rule(derived: Callable, file: Callable) -> None:
    files = tuple(file(f"api/posts/{n}", media=JSON) for n in range(1000))
    rules, _ = derived(
        files=(*files, file("api/posts/index.json", "/api/posts", media=JSON), file("x.json", media=JSON))
    )
    assert sources(rules, "types") == [("/api/posts/:name", JSON)]


def test_types_that_differ_are_named_one_by_one(derived: Callable, file: Callable) -> None:
    files = (
        file("a/1", media=JSON),
        file("a/2", media="text/x"),
        file("a/3"),
        file("b.json", media="application/geo+json"),
    )
    rules, _ = derived(files=files)
    assert sources(rules, "types") == [
        ("/b.json", "application/geo+json"),
        ("/a/1", JSON),
        ("/a/2", "text/x"),
    ]


def test_a_type_only_spelled_differently_needs_no_rule(derived: Callable, file: Callable) -> None:
    rules, _ = derived(files=(file("a.md", media="text/markdown;charset=UTF-8"),))
    assert rules.types == ()


def test_headers_of_answers(derived: Callable, file: Callable) -> None:
    kept = (("Cache-Control", "max-age=1"), ("Content-Length", "9"), ("Content-Type", JSON))
    files = (
        *(file(f"api/{n}.json", headers=kept) for n in "abc"),
        file("feed.xml", headers=kept),
        file("x.xml"),
    )
    rules, findings = derived(files=files)
    assert findings == ()
    wanted = (("Cache-Control", "max-age=1"),)
    assert sources(rules, "headers") == [("/feed.xml", wanted), ("/api/:name.json", wanted)]


def test_a_header_that_no_host_can_carry(derived: Callable, file: Callable) -> None:
    rules, findings = derived(files=(file("a.json", headers=(("X-A", "1\r\nX-B: 2"), ("X-C", "ok"))),))
    assert sources(rules, "headers") == [("/a.json", (("X-C", "ok"),))]
    assert [(found.code, found.location, found.message) for found in findings] == [
        (
            "bad-response",
            Location("app/a.json"),
            "/a.json answers with the header 'X-A', which no host can carry",
        )
    ]


def test_settings_come_after_answers_and_vary_names_conditions(derived: Callable, file: Callable) -> None:
    text = """
[[headers]]
source = "/a"
headers = { X-A = "1", content-type = "text/x" }
[[rewrites]]
source = "/b/:x*"
destination = "/a.json"
has = [{ type = "header", key = "x-beta" }, { type = "cookie", key = "c" }, { type = "query", key = "q" }]
missing = [{ type = "accept", key = "text/markdown" }]
"""
    rules, _ = derived(text, files=(file("a.json", headers=(("X-A", "0"),)),))
    assert sources(rules, "headers") == [
        ("/a.json", (("X-A", "0"),)),
        ("/b/:x*", (("Vary", "X-Beta, Cookie, Accept"),)),
        ("/a", (("X-A", "1"),)),
    ]
    assert sources(rules, "types") == [("/a", "text/x")]


def test_names(derived: Callable, file: Callable) -> None:
    files = [file("index.json", "/"), file("api/index.json", "/api"), file("docs/a/index.html", "/docs/a")]
    files += [file(f"v/{n}/index.json", f"/v/{n}") for n in "12"] + [file("x.html", "/x")]
    rules, _ = derived(files=tuple(files))
    named = [(rule.source.source, rule.destination.source) for rule in rules.rewrites]
    assert named == [("/", "/index.json"), ("/api", "/api/index.json"), ("/v/:name", "/v/:name/index.json")]
    assert [rule.destination.fill({"name": "1"}) for rule in rules.rewrites] == [
        "/index.json",
        "/api/index.json",
        "/v/1/index.json",
    ]


def test_redirects_of_answers(derived: Callable) -> None:
    answers = [
        ("/b", "/docs/a?x=1#f", 307),
        ("/a", "https://a.example/docs/a", 308),
        ("/c/d", "e", 302),
        ("/x", "https://b.example", 301),
    ]
    listed = tuple(Redirection(url, to, status, "app/r.py", 3) for url, to, status in answers)
    rules, findings = derived("", "docs/a.html c/e.html", answered=listed)
    assert findings == ()
    assert [
        (r.source.source, r.destination.origin, r.destination.fill({}), r.status) for r in rules.redirects
    ] == [
        ("/a", "", "/docs/a", 308),
        ("/b", "", "/docs/a", 307),
        ("/c/d", "", "/c/e", 302),
        ("/x", "https://b.example", "/", 301),
    ]
    assert rules.redirects[1].destination.fragment == "f"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "",
        "/a\nb",
        "https://[",
    ],
)
def test_an_answer_that_leads_astray(derived: Callable, to: str) -> None:
    rules, findings = derived(answered=(Redirection("/a", to, 307, "app/a/route.py", 7),))
    assert rules.redirects == ()
    assert [(found.code, found.location) for found in findings] == [
        ("invalid-rule", Location("app/a/route.py", 7))
    ]


def test_pages_with_slashes_are_led_to_at_once(derived: Callable) -> None:
    text = "trailing_slash = true"
    answered = (Redirection("/x", "/docs/a", 308, "f", 1), Redirection("/y", "/rss.xml", 308, "f", 1))
    rules, _ = derived(text, "docs/a/index.html rss.xml", answered=answered)
    assert [rule.destination.fill({}) for rule in rules.redirects] == ["/docs/a/", "/rss.xml"]
