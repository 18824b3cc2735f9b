"""Reading of rule tables: whole findings, at their own lines."""

import tomllib

import pytest

from pybuild.config.rules import parse_rules
from pybuild.config.toml_lines import TomlMap
from pybuild.diagnostics import Diagnostic, Location
from pybuild.rules.model import Condition, Proxy, ProxyHeader, Redirect, Rewrite, Rule, SetHeaders


def read(text: str) -> tuple[tuple[Rule, ...], tuple[Diagnostic, ...]]:
    lines = TomlMap.scan(text)
    return parse_rules(tomllib.loads(text), lambda path: Location("pybuild.toml", lines.line(path)))


def findings(text: str) -> list[tuple[str, int | None, str, str]]:
    return [(found.code, found.location.line, found.message, found.hint) for found in read(text)[1]]


def test_every_kind() -> None:
    rules, found = read("""
[[redirects]]
source = "/old/:slug"
destination = "/docs/:slug"
permanent = true
[[redirects]]
source = "/x"
destination = "https://b.example/:lang"
status = 303
has = [{ type = "host", value = "(?<lang>en|de)\\\\.a\\\\.example" }]
missing = [{ type = "cookie", key = "in" }]
[[rewrites]]
source = "/docs/:slug*"
destination = "/docs/md/:slug*"
has = [{ type = "header", key = "Accept", value = "(.*)text/markdown(.*)" }, { type = "accept", key = "text/markdown" }]
missing = [{ type = "accept", value = "text/html" }]
[[headers]]
source = "/api/:path*"
headers = { Access-Control-Allow-Origin = "*" }
[[proxies]]
source = "/github/:path*"
destination = "https://api.github.com/:path*"
methods = ["POST", "GET"]
headers = { Authorization = { env = "GITHUB_TOKEN" }, X-A = "1" }
""")
    assert found == ()
    assert [type(rule) for rule in rules] == [Redirect, Redirect, Rewrite, SetHeaders, Proxy]
    old, other, rewrite, headers, proxy = rules
    assert isinstance(old, Redirect) and isinstance(other, Redirect) and isinstance(proxy, Proxy)
    assert (old.status, old.location, old.env_names) == (308, Location("pybuild.toml", 2), ())
    assert (other.status, other.missing) == (303, (Condition("cookie", "in"),))
    assert rewrite.has == (
        Condition("header", "accept", "(.*)text/markdown(.*)"),
        Condition("accept", "text/markdown"),
    )
    assert rewrite.missing == (Condition("accept", "text/html"),)
    assert isinstance(headers, SetHeaders) and headers.headers == (("Access-Control-Allow-Origin", "*"),)
    assert (proxy.methods, proxy.env_names) == (("GET", "HEAD", "POST"), ("GITHUB_TOKEN",))
    assert proxy.headers == (ProxyHeader("Authorization", env="GITHUB_TOKEN"), ProxyHeader("X-A", "1"))


START = '[[redirects]]\nsource = "/a/:slug"\ndestination = "/b"\n'
KNOWN = "known here: destination, has, missing, permanent, source, status"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            START + "permanent = true\npermanant = 1",
            ("config-error", 5, 'unknown setting "permanant" in [[redirects]]', 'did you mean "permanent"?'),
        ),
        (
            START + "permanent = true\nzzz = 1",
            ("config-error", 5, 'unknown setting "zzz" in [[redirects]]', KNOWN),
        ),
        (
            START,
            (
                "invalid-rule",
                1,
                "a redirect needs permanent or status",
                "write permanent = true (308), permanent = false (307), or status = 301",
            ),
        ),
        (
            START + 'permanent = "yes"',
            ("config-error", 4, "permanent must be true or false", "write it without quotes"),
        ),
        (
            START + "status = 404",
            ("invalid-rule", 4, "404 is no status of a redirect", "write one of 301, 302, 303, 307, 308"),
        ),
        (
            START + "status = 301\npermanent = true",
            (
                "invalid-rule",
                1,
                "permanent and status exclude each other",
                "write permanent = true (308), permanent = false (307), or status = 301",
            ),
        ),
        (
            '[[redirects]]\nsource = "/a/:slug"\ndestination = "/b/:slog"\nstatus = 301',
            ("invalid-rule", 3, '":slog" is not in the source', 'did you mean "slug"?'),
        ),
        (
            '[[redirects]]\nsource = "/a"\ndestination = "/b/:x"\nstatus = 301',
            ("invalid-rule", 3, '":x" is not in the source', "the source has no parameters"),
        ),
        (
            '[[redirects]]\nsource = "a"\ndestination = "/b"\nstatus = 301',
            ("invalid-rule", 2, 'source must start with "/": "a"', 'write "/a"'),
        ),
        (
            '[[redirects]]\ndestination = "/b"\nstatus = 301',
            ("invalid-rule", 1, "the rule has no source", 'write source = "…"'),
        ),
        (
            '[[rewrites]]\nsource = "/a"\ndestination = 1',
            ("config-error", 3, "destination must be text in quotes", 'write destination = "…"'),
        ),
        (
            '[[rewrites]]\nsource = "/a"\ndestination = "https://b.example/"',
            (
                "invalid-rule",
                3,
                'a rewrite cannot lead to "https://b.example"',
                "write [[proxies]] in place of [[rewrites]]",
            ),
        ),
        (
            '[[rewrites]]\nsource = "/a"\ndestination = "/b?c"',
            (
                "invalid-rule",
                3,
                "a rewrite leads to a file, which has no query and no fragment",
                'delete what follows "?" or "#"',
            ),
        ),
        (
            '[[headers]]\nsource = "/a"\n',
            (
                "config-error",
                1,
                "headers must be a table of names and values",
                'write headers = { X-Name = "…" }',
            ),
        ),
        (
            '[[headers]]\nsource = "/a"\nheaders = { "X A" = "1" }',
            ("invalid-rule", 3, '"X A" is no header name', "use letters, digits and -"),
        ),
        (
            '[[headers]]\nsource = "/a"\nheaders = { A = "1\\n2" }',
            (
                "invalid-rule",
                3,
                "the header A holds what a header cannot carry",
                "use printable ASCII on one line",
            ),
        ),
        (
            '[[headers]]\nsource = "/a"\nheaders = { A = 1 }',
            ("config-error", 3, "the header A must be text in quotes", 'write A = "…"'),
        ),
        (
            '[[proxies]]\nsource = "/a"\ndestination = "/b"',
            (
                "invalid-rule",
                3,
                "a proxy leads to another server",
                'write the full address, such as "https://api.example.com/:path*", without "#"',
            ),
        ),
        (
            '[[proxies]]\nsource = "/a"\ndestination = "https://b.example"\nmethods = ["get"]',
            (
                "invalid-rule",
                4,
                "methods must be a list of request methods",
                "use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
            ),
        ),
        (
            '[[proxies]]\nsource = "/a"\ndestination = "https://b.example"\nheaders = { A = { evn = "X" } }',
            (
                "config-error",
                4,
                "the header A must be text or name an environment variable",
                'write A = "…", or A = { env = "NAME" }',
            ),
        ),
        (
            "redirects = 1",
            ("config-error", 1, "redirects must be a list of tables", "write [[redirects]] above each one"),
        ),
        (
            START + 'status = 301\nhas = [{ type = "coockie", key = "a" }]',
            ("invalid-rule", 5, 'a condition has no type "coockie"', 'did you mean "cookie"?'),
        ),
        (
            START + 'status = 301\nhas = [{ type = "header", key = "a", value = "(?=b)" }]',
            (
                "invalid-rule",
                5,
                'the regex "(?=b)" is not portable from "(?=b)" on',
                "use only what PCRE, RE2, JavaScript and Python share: "
                "no look-around, back-reference, possessive repeat or inline flag",
            ),
        ),
        (
            START + 'status = 301\nhas = [{ type = "accept", key = "image/png" }]',
            (
                "invalid-rule",
                5,
                "an accept condition tells Markdown from HTML only",
                'write key = "text/markdown" or "text/html", and no value',
            ),
        ),
        (
            START + 'status = 301\nhas = [{ type = "host", value = "a.example:8080" }]',
            (
                "invalid-rule",
                5,
                "a host is compared without its scheme and its port",
                'write the name alone, such as "www\\.example\\.com"',
            ),
        ),
        (
            START + 'status = 301\nmissing = { type = "host" }',
            (
                "config-error",
                5,
                "missing must be a list of tables",
                'write missing = [{ type = "header", key = "…" }]',
            ),
        ),
        (
            '[[headers]]\nsource = "/a"\nheaders = { Content-Type = "text/x" }\nhas = [{ type = "query", key = "q" }]',
            (
                "invalid-rule",
                3,
                "the type of a file cannot depend on a request",
                "set Content-Type in a rule of its own, without has and missing",
            ),
        ),
    ],
)
def test_finding(text: str, found: tuple[str, int, str, str]) -> None:
    assert findings(text) == [found]
    assert read(text)[0] == ()


def test_all_findings_of_all_rules_are_reported() -> None:
    found = findings(START + 'status = 1\n[[headers]]\nsource = "b"\nheaders = { A = 1 }')
    assert [line for _, line, _, _ in found] == [4, 6, 7]


def test_a_host_is_compared_in_small_letters() -> None:
    value = r"(?<Lang>EN|[A-Z]\\D+)\\.Example"
    (rule,) = read(START + f'status = 301\nhas = [{{ type = "host", value = "{value}" }}]')[0]
    assert rule.has[0].value == r"(?<Lang>en|[a-z]\D+)\.example"
