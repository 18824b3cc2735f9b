"""Findings that need all rules at once."""

from collections.abc import Callable

import pytest

from pybuild.build.rules import derive
from pybuild.diagnostics import Location


def redirects(*pairs: tuple[str, str]) -> str:
    return "".join(f"[[redirects]]\nsource = '{a}'\ndestination = '{b}'\nstatus = 308\n" for a, b in pairs)


def messages(
    derived: Callable, text: str, paths: str = "a.html"
) -> list[tuple[str, str, int | None, str, str]]:
    found = derived(text, paths)[1]
    return [(one.severity, one.code, one.location.line, one.message, one.hint) for one in found]


def test_clean(derived: Callable) -> None:
    assert messages(derived, redirects(("/x/:p*", "/a"), ("/y", "https://b.example"))) == []


@pytest.mark.parametrize("pairs", [[("/x", "/x")], [("/x/:p*", "/x/y/:p*")], [("/x/:p", "/x/:p")]])
def test_a_loop_of_one(derived: Callable, pairs: list[tuple[str, str]]) -> None:
    found = messages(derived, redirects(*pairs), "a.html x.html x/y.html")
    assert found[0] == (
        "error",
        "invalid-rule",
        5,
        f'the redirect from "{pairs[0][0]}" leads back to itself',
        "change its destination, or delete one of the redirects",
    )


def test_a_loop_of_two(derived: Callable) -> None:
    found = derived(redirects(("/x", "/y"), ("/y", "/x")))[1]
    assert [(one.message, one.notes[0].message, one.notes[0].location.line) for one in found] == [
        ('the redirect from "/x" leads back to itself', 'then from "/y"', 9),
        ('the redirect from "/y" leads back to itself', 'then from "/x"', 5),
    ]


def test_a_chain(derived: Callable) -> None:
    assert messages(derived, redirects(("/x/:p", "/y/:p"), ("/y/:p", "/a"))) == [
        (
            "warning",
            "invalid-rule",
            5,
            'the redirect from "/x/:p" leads to another redirect',
            'write destination = "/a"',
        )
    ]


def test_a_shadow(derived: Callable) -> None:
    found = derived(redirects(("/x/:p*", "/a"), ("/x/y", "https://b.example")), "a.html")[1]
    assert [(one.message, one.location.line, one.notes[0].message) for one in found] == [
        ('"/x/y" is never reached', 9, '"/x/:p*" is tried first')
    ]


def test_a_redirect_hides_a_page(derived: Callable) -> None:
    assert messages(derived, redirects(("/b", "/a")), "a.html b.html") == [
        (
            "warning",
            "invalid-rule",
            5,
            'the redirect from "/b" hides app/b.html',
            "delete the redirect or the file",
        )
    ]


def test_a_destination_that_nothing_answers(derived: Callable) -> None:
    text = redirects(("/x", "/b"), ("/y", "/a")) + '[[rewrites]]\nsource = "/z"\ndestination = "/c"\n'
    hint = "name a page or file that the export writes"
    assert messages(derived, text) == [
        ("warning", "broken-link", 5, '"/b" leads nowhere', hint),
        ("warning", "broken-link", 13, '"/c" leads nowhere', hint),
    ]


@pytest.mark.parametrize(
    "source", ["/go/:to(.*)", "/go/:to([^x]+)", r"/go/:to(\D+)", r"/go/:to([/\\]?evil.example)"]
)
def test_an_open_redirect(derived: Callable, source: str) -> None:
    found = derived(redirects((source, "/:to")))[1]
    assert [(one.code, one.location, one.message) for one in found if one.is_error] == [
        (
            "invalid-rule",
            Location("pybuild.toml", 5),
            '"/:to" lets a visitor choose the host: :to may start with a slash',
        )
    ]


@pytest.mark.parametrize(
    "pair", [("/go/:to*", "/:to*"), (r"/go/:to(\d+)", "/:to"), ("/go/:to(.*)", "/x/:to")]
)
def test_no_open_redirect(derived: Callable, pair: tuple[str, str]) -> None:
    assert not [one for one in derived(redirects(pair))[1] if "host" in one.message]


@pytest.mark.parametrize(
    ("text", "paths", "told"),
    [
        (
            '[[headers]]\nsource = "/x/:p*"\nheaders = { A = "1" }',
            "a.html",
            'the headers for "/x/:p*" meet no',
        ),
        ('[[headers]]\nsource = "/x"\nheaders = { A = "1" }', "a.html", 'the headers for "/x" meet no'),
        ('[[headers]]\nsource = "/x"\nheaders = { A = "1" }', "x.html", ""),
        ('[[headers]]\nsource = "/x/:p*"\nheaders = { A = "1" }', "x/index.html", ""),
        ('[[headers]]\nsource = "/:p*"\nheaders = { A = "1" }', "", ""),
        (
            '[[headers]]\nsource = "/x/:p*"\nheaders = { A = "1" }\n'
            '[[proxies]]\nsource = "/x/:p*"\ndestination = "https://b.example/:p*"',
            "a.html",
            "",
        ),
        (
            '[[proxies]]\nsource = "/a"\ndestination = "https://b.example/"',
            "a.html",
            'the proxy for "/a" is never',
        ),
        ('[[proxies]]\nsource = "/a"\ndestination = "https://b.example/"\nmethods = ["POST"]', "a.html", ""),
        (
            '[[redirects]]\nsource = "/b"\ndestination = "/a"\nstatus = 301\n[[rewrites]]\nsource = "/b"\ndestination = "/a"',
            "a.html",
            '"/b" is never reached',
        ),
        ('[[redirects]]\nsource = "/b//c"\ndestination = "/a"\nstatus = 301', "a.html", "is never asked for"),
        ('[[redirects]]\nsource = "/../c"\ndestination = "/a"\nstatus = 301', "a.html", "is never asked for"),
        ('[[redirects]]\nsource = "/.../c"\ndestination = "/a"\nstatus = 301', "a.html", ""),
    ],
)
def test_rules_that_meet_nothing(derived: Callable, text: str, paths: str, told: str) -> None:
    _, findings = derived(text, paths)
    assert [told in one.message for one in findings] == [True] * bool(told), findings
    assert all(one.location.line and not one.is_error for one in findings)


def test_a_source_below_the_base_path(config: Callable) -> None:
    text = '[[redirects]]\nsource = "/base/x"\ndestination = "https://b.example/"\nstatus = 301'
    _, findings = derive(config(text, url="https://a.example/base"), [], {}, [])
    assert [one.hint for one in findings] == ['write it without the base path "/base"']


def test_addresses_on_the_own_host(derived: Callable) -> None:
    pairs = (
        ("/x", "https://a.example/gone"),
        ("/y", "https://A.example/a"),
        ("/z/:p*", "https://a.example/z/:p*"),
        ("/w", "https://b.example/gone"),
    )
    assert [row[:4] for row in messages(derived, redirects(*pairs))] == [
        ("error", "invalid-rule", 13, 'the redirect from "/z/:p*" leads back to itself'),
        ("warning", "broken-link", 5, '"https://a.example/gone" leads nowhere'),
    ]


def test_a_proxy_behind_a_rewrite(derived: Callable) -> None:
    rewrite = "[[rewrites]]\nsource = '/x'\ndestination = '/a'\n"
    proxy = "[[proxies]]\nsource = '/x'\ndestination = 'https://b.example/x'\n"
    assert [row[3] for row in messages(derived, rewrite + proxy)] == [
        'the proxy for "/x" is never reached: app/a.html answers first'
    ]
