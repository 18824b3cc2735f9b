"""The meaning of a rule set, by whole outcomes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pybuild.diagnostics import Location
from pybuild.records import File, Headers, by_path
from pybuild.rules.evaluate import NOT_ACCEPTABLE, Outcome, ProxyCall, Request, evaluate, find, join_list
from pybuild.rules.model import ALLOWED, ProxyHeader, RuleSet, SetHeaders
from pybuild.rules.patterns import parse_pattern
from pybuild.urls import encode

TEXT = """
[negotiation]
strict = true
[[redirects]]
source = "/old/:p*"
destination = "/docs/:p*?v=1#top"
status = 307
[[rewrites]]
source = "/guide/:p*"
destination = "/docs/:p*"
[[headers]]
source = "/docs/:p*"
headers = { Vary = "Cookie", X-A = "1", Link = "</x>; rel=y" }
[[headers]]
source = "/docs/a"
headers = { X-A = "2" }
[[proxies]]
source = "/up/:p*"
destination = "https://b.example/:p*?k=v"
headers = { Authorization = { env = "TOKEN" } }
"""
PATHS = "index.html docs/a.html docs/a.md docs/b.html 404.html x"
HTML = ("Content-Type", "text/html; charset=utf-8")
MARKDOWN = ("Content-Type", "text/markdown; charset=utf-8")


@pytest.fixture
def ask(derived: Callable) -> Callable[..., Outcome]:
    rules, _ = derived(TEXT, PATHS)
    files = by_path(File(path, "", str(number) * 64, 1) for number, path in enumerate(PATHS.split(), 1))
    return lambda target, method="GET", **headers: evaluate(
        rules, Request(target, method, tuple((k.replace("_", "-"), v) for k, v in headers.items())), files
    )


def tag(number: int) -> tuple[str, str]:
    return "ETag", f'"{str(number) * 32}"'


def test_a_page(ask: Callable) -> None:
    headers = (HTML, tag(2), ("Link", "</x>; rel=y"), ("Vary", "Accept, Cookie"), ("X-A", "2"))
    assert ask("/docs/a?x") == Outcome(200, headers, "docs/a.html")


def test_its_variant(ask: Callable) -> None:
    here = ("Content-Location", "/docs/a.md")
    headers = (here, MARKDOWN, tag(3), ("Link", "</x>; rel=y"), ("Vary", "Accept, Cookie"), ("X-A", "2"))
    assert ask("/docs/a", Accept="text/markdown") == Outcome(200, headers, "docs/a.md")


def test_the_address_of_the_variant(ask: Callable) -> None:
    link = '<https://a.example/docs/a>; rel="canonical", </x>; rel=y'
    headers = (MARKDOWN, tag(3), ("Link", link), ("Vary", "Cookie"), ("X-A", "1"))
    assert ask("/docs/a.md", Accept="image/png") == Outcome(200, headers, "docs/a.md")


def test_a_page_without_variant_is_not_negotiated(ask: Callable) -> None:
    headers = (HTML, tag(4), ("Link", "</x>; rel=y"), ("Vary", "Cookie"), ("X-A", "1"))
    assert ask("/docs/b", Accept="image/png") == Outcome(200, headers, "docs/b.html")


def test_nothing_acceptable(ask: Callable) -> None:
    kind = ("Content-Type", "text/plain; charset=utf-8")
    headers = (kind, ("Link", "</x>; rel=y"), ("Vary", "Accept, Cookie"), ("X-A", "2"))
    assert ask("/docs/a", Accept="image/png") == Outcome(406, headers, text=NOT_ACCEPTABLE)


@pytest.mark.parametrize("field", ["image/png", "text/html;q=0, text/markdown;q=0", "*/*;q=0"])
def test_lenient_negotiation_answers_html_where_nothing_is_acceptable(field: str) -> None:
    files = by_path(File(path, "", "1" * 64, 1) for path in ("a.html", "a.md"))
    answers = {
        mode: evaluate(RuleSet(negotiation=mode), Request("/a", headers=(("Accept", field),)), files)
        for mode in ("lenient", "strict", "off")
    }
    found = {mode: (one.status, one.path, one.header("vary")) for mode, one in answers.items()}
    assert found == {
        "lenient": (200, "a.html", "Accept"),
        "strict": (406, "", "Accept"),
        "off": (200, "a.html", ""),
    }


@pytest.mark.parametrize("field", [tag(3)[1], "W/" + tag(3)[1], f'"x", {tag(3)[1]}', "*"])
def test_not_modified(ask: Callable, field: str) -> None:
    here = ("Content-Location", "/docs/a.md")
    headers = (here, tag(3), ("Link", "</x>; rel=y"), ("Vary", "Accept, Cookie"), ("X-A", "2"))
    assert ask("/docs/a", Accept="text/markdown", If_None_Match=field) == Outcome(304, headers)


def test_the_other_representation_is_modified(ask: Callable) -> None:
    assert ask("/docs/a", Accept="text/markdown", If_None_Match=tag(2)[1]).status == 200


def test_a_rewritten_page_keeps_the_headers_of_what_was_asked(ask: Callable) -> None:
    assert ask("/guide/a") == Outcome(200, (HTML, tag(2), ("Vary", "Accept")), "docs/a.html")


def test_a_redirect(ask: Callable) -> None:
    to = ("Location", "/docs/a%2Fb/c?v=1&x=%20#top")
    assert ask("/old/a%2Fb/c/?x=%20", "POST") == Outcome(307, (to,), text="307\n")


def test_what_a_condition_takes_is_encoded(derived: Callable) -> None:
    """A cookie cannot lead to another host, nor add parameters."""
    rules, _ = derived(
        """
[[redirects]]
source = "/x"
destination = "/:to/y?p=:to"
permanent = false
has = [{ type = "cookie", key = "to", value = "(?<to>.*)" }]
"""
    )
    answer = evaluate(rules, Request("/x", headers=(("Cookie", "to=/e.example/?a&b"),)), {})
    assert answer.header("location") == "/%2Fe.example%2F%3Fa%26b/y?p=%2Fe.example%2F%3Fa%26b"


def test_a_proxied_request(ask: Callable) -> None:
    call = ProxyCall("https://b.example/a%2Fb?k=v&q", (ProxyHeader("Authorization", env="TOKEN"),))
    assert ask("/up/a%2Fb/?q") == Outcome(200, proxy=call)
    assert ask("/up/a", "POST") == Outcome(405, (("Allow", ALLOWED),), text="405\n")


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/docs/a/", 308, "/docs/a"),
        ("/docs/a//?x", 308, "/docs/a?x"),
        ("//evil.example/", 404, ""),
        ("/docs/../docs/a", 400, ""),
        ("/docs/%2E%2e/a", 400, ""),
        ("/%2e%2e%2fdocs/a", 400, ""),
        ("/a\\b", 400, ""),
        ("/a%00", 400, ""),
        ("/%zz", 400, ""),
        ("*", 400, ""),
        ("/docs%2Fa", 404, ""),
        ("/404", 404, ""),
        ("/x", 200, ""),
        ("/nope", 404, ""),
    ],
)
def test_addresses(ask: Callable, target: str, status: int, location: str) -> None:
    outcome = ask(target)
    assert (outcome.status, outcome.header("location")) == (status, location)


def test_methods(ask: Callable) -> None:
    assert ask("/docs/a", "HEAD") == ask("/docs/a")
    assert ask("/nope", "DELETE") == Outcome(405, (("Allow", ALLOWED),), text="405\n")


CROSS = """
[[redirects]]
source = "/old"
destination = "/a"
permanent = true
[[headers]]
source = "/a"
headers = { Access-Control-Allow-Origin = "*", X-A = "1" }
[[headers]]
source = "/b"
headers = { Access-Control-Allow-Origin = "*", Access-Control-Allow-Methods = "GET" }
[[proxies]]
source = "/b"
destination = "https://b.example/"
methods = ["POST"]
[[proxies]]
source = "/up"
destination = "https://b.example/"
methods = ["GET", "PUT"]
[[proxies]]
source = "/asks"
destination = "https://b.example/"
methods = ["OPTIONS"]
[[headers]]
source = "/up"
headers = { Access-Control-Allow-Origin = "*" }
"""
ORIGIN = ("Access-Control-Allow-Origin", "*")


def may(methods: str) -> tuple[str, str]:
    return "Access-Control-Allow-Methods", methods


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/a", (ORIGIN, may("GET, HEAD"), ("Allow", "GET, HEAD, OPTIONS"), ("X-A", "1"))),
        ("/a/", (ORIGIN, may("GET, HEAD"), ("Allow", "GET, HEAD, OPTIONS"), ("X-A", "1"))),
        ("/a.md", (("Allow", "GET, HEAD, OPTIONS"),)),
        ("/old", (("Allow", "GET, HEAD, OPTIONS"),)),
        ("/b", (ORIGIN, may("GET"), ("Allow", "GET, HEAD, POST, OPTIONS"))),
        ("/up", (ORIGIN, may("GET, HEAD, PUT"), ("Allow", "GET, HEAD, PUT, OPTIONS"))),
    ],
)
def test_options(derived: Callable, target: str, headers: Headers) -> None:
    """Before redirects, with the header rules of the address and what negotiation alone would add left out."""
    files = by_path(File(path, "", "1" * 64, 1) for path in ("a.html", "a.md", "b.html"))
    rules, _ = derived(CROSS, "a.html a.md b.html")
    assert evaluate(rules, Request(target, "OPTIONS"), files) == Outcome(204, tuple(sorted(headers)))


def test_options_of_nothing_and_of_a_proxy_that_wants_them(derived: Callable) -> None:
    rules, _ = derived(CROSS, "b.html")
    files = by_path([File("b.html", "", "1" * 64, 1)])
    assert evaluate(rules, Request("/nope", "OPTIONS"), files) == Outcome(404, text="404\n")
    assert evaluate(rules, Request("/404", "OPTIONS"), files).status == 404
    assert evaluate(rules, Request("/asks", "OPTIONS"), files).proxy is not None
    assert evaluate(rules, Request("/asks"), files).header("allow") == "OPTIONS"
    assert evaluate(rules, Request("/b", "PUT"), files).header("allow") == "GET, HEAD, POST, OPTIONS"


def test_find_prefers_the_file_itself() -> None:
    files = dict.fromkeys(["a", "a.html", "b/index.html", "index.html"], None)
    assert [find(url, files) for url in ("/a", "/b", "/b/", "/", "/c")] == [
        "a",
        "b/index.html",
        "b/index.html",
        "index.html",
        None,
    ]


def test_join_list() -> None:
    assert join_list("Accept", "accept, Cookie", "", "Cookie") == "Accept, Cookie"


@pytest.mark.parametrize(
    "base, slash, path, where",
    [
        ("", False, "caf\u00e9 1.html", "/caf%C3%A9%201.md"),
        ("/b%", False, "a.html", "/b%25/a.md"),
        ("", False, "index.html", "/index.md"),
        ("", True, "a/index.html", "/a/index.md"),
    ],
)
def test_negotiated_markdown_says_where_it_lies(base: str, slash: bool, path: str, where: str) -> None:
    files = by_path(File(name, "app/x.md", "0" * 64, 1) for name in (path, path[:-4] + "md"))
    rules = RuleSet(base=base, trailing_slash=slash, negotiation="lenient")
    bare = path.removesuffix("index.html").removesuffix(".html")
    request = Request(encode(f"{base}/{bare}"), "GET", (("Accept", "text/markdown"),))
    assert evaluate(rules, request, files).header("content-location") == where
    assert evaluate(rules, replace(request, headers=()), files).header("content-location") == ""


def test_outside_of_the_base_path_is_nothing() -> None:
    rules = RuleSet(base="/docs")
    files = by_path([File("index.html", "", "0" * 64, 1)])
    for target in ("/", "/a", "/docsa", "/doc"):
        assert evaluate(rules, Request(target), files) == Outcome(404, text="404\n")
    assert [evaluate(rules, Request(target), files).status for target in ("/docs", "/docs/")] == [200, 200]


def test_not_modified_says_no_type_even_where_a_rule_does() -> None:
    said = SetHeaders(Location(), parse_pattern("/x"), (("Content-Type", "text/css"), ("X-A", "1")))
    rules = RuleSet(headers=(said,))
    files = by_path([File("x", "", "6" * 64, 1)])
    answer = evaluate(rules, Request("/x", headers=(("If-None-Match", "*"),)), files)
    assert answer == Outcome(304, (tag(6), ("X-A", "1")))


def test_rules_that_plain_files_say_too(derived: Callable) -> None:
    assert RuleSet(variants=False).is_empty is True
    assert [derived(text, PATHS)[0].is_empty for text in ("", TEXT)] == [False, False]
