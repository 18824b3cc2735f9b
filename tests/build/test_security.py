"""Security headers, by what every address and one page is answered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pybuild.build.rules import derive
from pybuild.build.security import LONGEST, needs_of, policy_of
from pybuild.records import File, by_path
from pybuild.rules.evaluate import Request, evaluate

PAGES = {
    "index.html": b"<p>plain</p>",
    "docs/a.html": b"<script>alert(1)</script>",
    "docs/b.html": b"<p>plain</p>",
    "404.html": b"<style>p { color: red }</style>",
    "own.html": b"<script>alert(1)</script>",
    "x.txt": b"<script>",
}
ALERT = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"  # as browsers print it for alert(1)


@pytest.fixture
def said(config: Callable) -> Callable[..., dict[str, str]]:
    def make(text: str, url: str = "/") -> dict[str, str]:
        urls = {path: "/" + path.removesuffix(".html").replace("index", "") for path in PAGES}
        files = [File(path, f"app/{path}", "0" * 64, 1, url) for path, url in urls.items()]
        own = (("content-security-policy", "default-src *"),)
        files = [replace(f, headers=own) if f.path == "own.html" else f for f in files]
        rules, findings = derive(config(text), [], by_path(files), [], PAGES.__getitem__)
        assert findings == ()
        return {name.lower(): value for name, value in evaluate(rules, Request(url), by_path(files)).headers}

    return make


def test_nothing_by_default(said: Callable) -> None:
    assert set(said("")) == {"content-type", "etag"}


def test_basic_and_hsts(said: Callable) -> None:
    names = {"content-type", "etag", "referrer-policy", "x-content-type-options"}
    assert set(said('[security]\nheaders = "basic"')) == names
    assert said("[security]\nhsts = 600")["strict-transport-security"] == "max-age=600"


def test_strict(said: Callable) -> None:
    text = '[security]\nheaders = "strict"'
    usual = said(text)["content-security-policy"]
    assert "script-src 'self';" in usual and "frame-ancestors 'self'" in usual
    assert said(text)["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in said(text)["permissions-policy"]
    assert f"script-src 'self' {ALERT};" in said(text, "/docs/a")["content-security-policy"]
    assert said(text, "/docs/b")["content-security-policy"] == usual
    assert said(text, "/own")["content-security-policy"] == "default-src *"


def test_what_the_page_for_errors_needs_is_allowed_everywhere(said: Callable) -> None:
    found = said('[security]\nheaders = "strict"', "/nope")["content-security-policy"]
    assert found == said('[security]\nheaders = "strict"')["content-security-policy"]
    assert "style-src 'self' 'sha256-" in found


def test_rules_of_the_settings_win(said: Callable) -> None:
    rule = '[[headers]]\nsource = "/docs/a"\nheaders = { Content-Security-Policy = "img-src *" }\n'
    found = said(rule + '[security]\nheaders = "strict"', "/docs/a")
    assert found["content-security-policy"] == "img-src *"


@pytest.mark.parametrize(
    ("html", "needs"),
    [
        ("<script>alert(1)</script>", {("script-src", ALERT)}),
        ("<script type=module>alert(1)</script>", {("script-src", ALERT)}),
        ("<script type='text/javascript'>alert(1)</script>", {("script-src", ALERT)}),
        ("<script type='application/ld+json'>{}</script>", set()),
        ("<script src='/a.js'></script><img src='/a.png'>", set()),
        ("<script src='https://c.example/a.js'></script>", {("script-src", "https://c.example")}),
        ("<link rel=stylesheet href='//c.example/a.css'>", {("style-src", "https://c.example")}),
        ("<iframe src='https://c.example:8443/x'></iframe>", {("frame-src", "https://c.example:8443")}),
        ("<form action='https://c.example/x'></form>", {("form-action", "https://c.example")}),
        ("<object data='/a.svg'></object>", {("object-src", "'self'")}),
        ("<p onclick='alert(1)'>", {("script-src", "'unsafe-hashes'"), ("script-src", ALERT)}),
        ("&lt;script>alert(1)&lt;/script>", set()),
        ("<!-- <script>alert(1)</script> -->", set()),
    ],
)
def test_needs(html: str, needs: set[tuple[str, str]]) -> None:
    assert needs_of(html.encode()) == needs


def test_a_plugin_takes_the_place_of_none() -> None:
    assert "object-src 'self';" in policy_of({("object-src", "'self'")})


def test_a_policy_that_is_too_long(config: Callable) -> None:
    body = "".join(f"<style>a{n} {{ }}</style>" for n in range(LONGEST // 50)).encode()
    files = by_path([File("a.html", "app/a.html", "0" * 64, 1)])
    _, findings = derive(config('[security]\nheaders = "strict"'), [], files, [], lambda _: body)
    assert [(one.code, one.location.file) for one in findings] == [("rule-limit", "app/a.html")]
