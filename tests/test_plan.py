"""Output paths: no two things may share one, on any file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.config.loader import Options, load_config
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.plan import Claim, Plan, address_of, are_in_conflict, conflicts, make_plan, params_of
from pybuild.routing.segments import Pattern
from pybuild.source.site import discover

NAMES = st.lists(
    st.sampled_from(["a", "A", "b", "é", "e\u0301", "ß", "SS", "ﬁ", "fi"]), min_size=1, max_size=3
)


def claim(path: str, file: str) -> Claim:
    return Claim(path, Location(file))


@pytest.mark.parametrize(
    "first, second, message",
    [
        ("a.html", "a.html", 'x.md makes "a.html" and y.md makes it too'),
        (
            "A.html",
            "a.html",
            'x.md makes "A.html" and y.md makes "a.html", which some systems store in one file',
        ),
        ("é", "e\u0301", 'x.md makes "é" and y.md makes "e\u0301", which some systems store in one file'),
        ("a", "a/b/c", '"a" is a file of x.md, and "a/b/c" needs a folder of that name'),
        ("a", "A/b", '"a" is a file of x.md, and "A/b" needs a folder of that name'),
    ],
)
def test_both_places_are_named(first: str, second: str, message: str) -> None:
    found = conflicts([claim(first, "x.md"), claim(second, "y.md")])
    assert [(f.message, f.location, [note.location for note in f.notes]) for f in found] == [
        (message, Location("y.md"), [Location("x.md")])
    ]


def test_one_file_that_makes_a_path_twice() -> None:
    at = Location("app/[s]/route.py", 4)
    message = 'app/[s]/route.py makes "a/B" and "a/b", which some systems store in one file'
    assert conflicts([Claim("a/B", at), Claim("a/b", at)]) == (
        Diagnostic("output-conflict", message, at, "leave one of the two out"),
    )


def test_the_page_for_what_is_not_found_has_a_file_of_its_own() -> None:
    found = conflicts([Claim("404.html", Location()), claim("404.html", "app/404/page.md")])
    message = 'pybuild makes "404.html" and app/404/page.md makes it too'
    hint = "move it to app/ and name it not-found"
    assert found == (
        Diagnostic("output-conflict", message, Location("app/404/page.md"), hint, tuple[Note, ...]()),
    )


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(NAMES.map("/".join), max_size=6))
def test_what_no_one_objects_to_fits_every_file_system(paths: list[str]) -> None:
    """Held against folding as Unicode defines it (caseless matching of canonical forms, TUS 3.13 D145)."""

    def folded(path: str) -> str:
        return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())

    found = conflicts(claim(path, f"{number}.md") for number, path in enumerate(paths))
    keys = [folded(path) for path in paths]
    clashes = any(a == b or a.startswith(b + "/") or b.startswith(a + "/") for a, b in combinations(keys, 2))
    assert bool(found) is clashes


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a", "b/c", "b/d"], False),
        (["a", "a"], True),
        (["A.html", "a.html"], True),
        (["a", "a/b"], True),
        (["a/b", "a"], True),
        (["A", "b", "a/b/c"], True),
        (["a.html", "a/b"], False),
    ],
)
def test_the_quick_answer_agrees_with_the_findings(paths: list[str], expected: bool) -> None:
    assert are_in_conflict(paths) is expected
    assert bool(conflicts(claim(path, f"{number}.md") for number, path in enumerate(paths))) is expected


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("a", "a"),
        ("a.html", "a"),
        ("a/index.html", "a"),
        ("index.html", ""),
        ("a/b.json", "a/b.json"),
        ("a.md", "a.md"),
    ],
)
def test_where_hosts_find_a_file(path: str, address: str) -> None:
    assert address_of(path) == address


def plan_of(root: Path) -> tuple[Plan, list[str]]:
    config, findings = load_config(root, Options())
    assert findings == ()
    site, tree, findings = discover(config)
    assert findings == ()
    params = {
        index: ({"slug": "a"}, {"slug": "b"})
        for index, route in enumerate(site.routes)
        if route.pattern.is_dynamic
        and "generate_static_params" in (route.module.names if route.module else {})
    }
    plan, findings = make_plan(site, params, tree.around(Pattern()))
    return plan, [f"{finding.location}: {finding.message}" for finding in findings]


SITE = (
    '[site]\nurl = "https://example.com"\ntitle = "T"\n[feed]\nlimit = 2\n[build]\ngit_dates = false\n'
    '[collections.blog]\nsource = "content"\nroute = "/blog/[slug]"\n'
)
GET = 'dynamic = "force-static"\n\ndef GET(): ...\n'
MANY = "def generate_static_params():\n    return []\n"


def test_every_job_of_a_site(site: Callable[[dict[str, str]], Path]) -> None:
    files = {
        "pybuild.toml": SITE,
        "app/page.md": "# Home\n",
        "app/api/route.py": GET,
        "app/api/[slug]/route.py": GET + MANY,
        "app/icon.py": "def icon(): ...\n",
        "public/x.txt": "x",
        **{f"content/{name}.md": f"---\ndate: 2020-01-0{day}\n---\n" for day, name in enumerate("abc", 1)},
    }
    plan, findings = plan_of(site(files))
    assert findings == []
    assert [(job.kind, job.url, dict(job.params), job.is_folder, job.in_feed) for job in plan.jobs] == [
        ("not_found", "/404", {}, False, False),
        ("page", "/", {}, False, False),
        ("handler", "/api", {}, True, False),
        ("handler", "/api/a", {"slug": "a"}, False, False),
        ("handler", "/api/b", {"slug": "b"}, False, False),
        ("metadata", "/icon.png", {}, False, False),
        ("page", "/blog/a", {}, False, False),
        ("page", "/blog/b", {}, False, True),
        ("page", "/blog/c", {}, False, True),
        ("page", "/blog", {}, True, False),
    ]
    assert (plan.copies, sorted(plan.pages)) == (
        (("x.txt", "public/x.txt"),),
        ["/", "/blog", "/blog/a", "/blog/b", "/blog/c"],
    )


def test_the_site_has_its_own_page_for_what_is_not_found(site: Callable[[dict[str, str]], Path]) -> None:
    plan, _ = plan_of(site({"app/page.md": "# A\n", "app/not-found.md": "# Not here\n"}))
    assert [(job.kind, job.url, job.route) for job in plan.jobs if job.kind == "not_found"] == [
        ("not_found", "/404", 1)
    ]


@pytest.mark.parametrize(
    ("files", "finding"),
    [
        (
            {"app/a/page.md": "# A\n", "app/a.md/page.md": "# B\n"},
            'app/a.md/page.md: app/a.md/page.md answers "/a.md", and hosts serve the Markdown variant of "/a" there',
        ),
        (
            {
                "app/[slug]/page.py": MANY + "def load(): ...\n",
                "app/[slug]/page.html": "x",
                "public/a.html": "x",
            },
            'app/[slug]/page.py:1:1: public/a.html makes "a.html" and app/[slug]/page.py makes it too',
        ),
    ],
)
def test_where_two_answers_meet(
    site: Callable[[dict[str, str]], Path], files: dict[str, str], finding: str
) -> None:
    assert plan_of(site({"app/page.md": "# A\n", **files}))[1] == [finding]


@pytest.mark.parametrize(("route", "params"), [("/d/[slug]", "a"), ("/d/[...slug]", ("a",))])
def test_the_params_of_a_document(
    site: Callable[[dict[str, str]], Path], route: str, params: str | tuple[str, ...]
) -> None:
    settings = SITE.replace("/blog/[slug]", route)
    config, _ = load_config(site({"pybuild.toml": settings, "content/a.md": "# A\n"}), Options())
    found, tree, _ = discover(config)
    jobs = make_plan(found, {}, tree.around(Pattern()))[0].jobs
    assert [params_of(job, found) for job in jobs if job.url == "/d/a"] == [(("slug", params),)]
