"""What counts as a difference, and how it is said."""

import hashlib

import pytest

from pybuild.records import File
from pybuild.rules.evaluate import Outcome, Request
from pybuild.verify.compare import Difference, Seen, differences
from pybuild.verify.probes import Probe

BODIES = {"a.html": b"<p>a", "a.md": b"# a", "x.js": b"1", "404.html": b"lost"}
FILES = {
    path: File(path, "test", hashlib.sha256(body).hexdigest(), len(body)) for path, body in BODIES.items()
}
HTML = "text/html; charset=utf-8"
PAGE = Outcome(
    200, (("Content-Type", HTML), ("ETag", '"1"'), ("Vary", "Accept"), ("X-A", "b")), path="a.html"
)
GOOD = {
    "content-type": "text/html;charset=UTF-8",
    "vary": "accept-encoding, ACCEPT",
    "x-a": "b",
    "etag": "W/2",
}


def seen(
    outcome: Outcome,
    status: int = 200,
    body: bytes = b"<p>a",
    method: str = "GET",
    again: bool = False,
    **headers: str,
) -> list[str]:
    probe = Probe(Request("/a", method), outcome, outcome, revalidates=again)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = differences(probe, Seen(status, {**GOOD, **named}, body), FILES, "https://a.example/a")
    assert all(one.hint for one in found)
    return [one.what for one in found]


def test_what_a_network_adds_is_no_difference() -> None:
    assert seen(PAGE, server="x", cf_ray="1", cache_control="public", vary="*") == []
    assert seen(PAGE, body=b"", method="HEAD") == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"status": 404}, "answers 404 in place of 200"),
        ({"vary": "Accept-Encoding"}, "lacks Vary: Accept"),
        ({"vary": ""}, "lacks Vary: Accept"),
        ({"x_a": "c"}, 'has X-A: "c" in place of "b"'),
        ({"body": b"# a"}, "shows Markdown in place of HTML"),
        ({"body": b"<p>old"}, "has other bytes than the export: it is stale, or changed on the way"),
        ({"content_type": "text/html"}, f'has the type "text/html" in place of "{HTML}"'),
        ({"content_type": "text/html; charset=latin1"}, f'has the type "text/html; charset=latin1" in place of "{HTML}"'),
        ({"content_type": ""}, f'has the type "" in place of "{HTML}"'),
    ],
)  # fmt: skip
def test_differences(changed: dict[str, object], what: str) -> None:
    assert seen(PAGE, **changed) == [what]  # type: ignore[arg-type]


def test_a_header_that_is_not_there() -> None:
    outcome = Outcome(200, (("X-B", "c"), ("Link", '<https://a.example/a>; rel="canonical"')), path="a.html")
    assert seen(outcome) == ["lacks X-B: c", "lacks Link, which says which page is canonical"]


def test_renamed_types_are_equal() -> None:
    outcome = Outcome(200, (("Content-Type", "text/javascript; charset=utf-8"),), path="x.js")
    assert seen(outcome, body=b"1", content_type="application/javascript; charset=utf-8") == []
    assert (
        seen(
            Outcome(200, (("Content-Type", "application/xml"),), path="x.js"),
            body=b"1",
            content_type="text/xml",
        )
        == []
    )


@pytest.mark.parametrize(
    ("location", "what"),
    [
        ("/caf%C3%A9?x=1", []),
        ("https://a.example/caf%c3%a9?x=1", []),
        ("/caf%C3%A9", ['leads to "/caf%C3%A9" in place of "/caf%C3%A9?x=1"']),
        ("https://b.example/caf%C3%A9?x=1", ['leads to "https://b.example/caf%C3%A9?x=1" in place of "/caf%C3%A9?x=1"']),
    ],
)  # fmt: skip
def test_redirects(location: str, what: list[str]) -> None:
    assert seen(Outcome(308, (("Location", "/caf%C3%A9?x=1"),), text="308\n"), 308, location=location) == what


def test_a_page_of_what_is_missing() -> None:
    outcome = Outcome(404, (("Content-Type", HTML),), path="404.html")
    assert seen(outcome, 404, b"lost") == []
    assert seen(outcome, 200, b"lost") == ["answers 200 in place of 404"]


def test_revalidation() -> None:
    assert seen(PAGE, 304, b"", again=True) == []
    assert seen(PAGE, 304, b"", again=True, vary="") == ["lacks Vary: Accept on 304"]
    assert seen(PAGE, 200, again=True) == ["answers 200 in place of 304 to its own ETag"]


def test_a_host_may_do_more_than_it_must() -> None:
    moved = Outcome(308, (("Location", "/b"),), text="308\n")
    probe = Probe(Request("/a"), PAGE, moved)
    answer = Seen(308, {"location": "/b"}, b"")
    assert differences(probe, answer, FILES, "https://a.example/a") == []
    assert differences(probe, Seen(302, {}, b""), FILES, "https://a.example/a") == [
        Difference("status", "answers 302 in place of 200")
    ]
