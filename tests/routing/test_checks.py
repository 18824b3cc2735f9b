"""What is refused before any site code runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.routing.checks import check
from pybuild.routing.tree import read_tree

Site = Callable[[Mapping[str, str]], Path]
STATIC = 'dynamic = "force-static"\n'
GET = STATIC + "def GET(): ...\n"
GENERATE = "def generate_static_params(): return []\n"
DOCS = {"docs": Collection("docs", "content/docs", "/docs/[...slug]", location=Location("pybuild.toml", 5))}


@pytest.fixture
def findings(site: Site) -> Callable[..., list[tuple[str, str, str]]]:
    """Write a site and return its findings as code, place and message."""

    def run(
        files: Mapping[str, str], collections: Mapping[str, Collection] = {}
    ) -> list[tuple[str, str, str]]:
        found = check(read_tree(site(files)), collections)
        return [(f.code, str(f.location), f.message) for f in found]

    return run


Run = Callable[..., list[tuple[str, str, str]]]


def test_a_sound_site_has_no_findings(findings: Run) -> None:
    files = {
        "app/layout.html": "",
        "app/page.md": "",
        "app/not-found.html": "",
        "app/sitemap.py": "def sitemap(): return []",
        "app/apple-icon.py": "def apple_icon(): ...",
        "app/blog/[slug]/page.py": GENERATE + "def load(ctx): ...",
        "app/blog/[slug]/opengraph-image.png": "",
        "app/blog/[slug].json/route.py": GET + GENERATE,
        "app/docs/[...slug]/page.html": "",
        "app/rss.xml/route.py": GET,
        "app/api/route.py": 'dynamic = "error"\nfrom lib.api import GET\n',
        "app/open/route.py": STATIC + "from starlette.thing import *\n",
    }
    assert findings(files, DOCS) == []


HANDLER = """dynamic = "force-static"
import lib as PUT
def GET(): ...
if PUT:
    async def POST(): ...
HEAD = OPTIONS = GET
"""


def test_each_method_is_a_finding_at_its_place(findings: Run) -> None:
    assert findings({"app/a/route.py": HANDLER}) == [
        ("non-get-handler", f"app/a/route.py:{at}", f"{name} in app/a/route.py cannot be exported: "
         "a static host only answers GET")
        for at, name in [("2:8", "PUT"), ("5:5", "POST"), ("6:1", "HEAD"), ("6:8", "OPTIONS")]
    ]  # fmt: skip


def test_hints_of_methods(site: Site) -> None:
    hints = [f.hint for f in check(read_tree(site({"app/a/route.py": HANDLER})), {})]
    assert hints == [
        "delete it here, and serve it from a backend, reached through [[proxies]]",
        "delete it here, and serve it from a backend, reached through [[proxies]]",
        "delete it: hosts answer HEAD from what GET made",
        "delete it, and set Access-Control-Allow-Origin in [[headers]] where another origin reads it",
    ]


@pytest.mark.parametrize(
    ("source", "location", "hint"),
    [
        (STATIC, Location("app/a/route.py", 1, 1), "define GET(), or delete the file"),
        (STATIC + "def get(): ...", Location("app/a/route.py", 2, 1), "rename get to GET"),
        (STATIC + "Get = 1", Location("app/a/route.py", 2, 1), "rename Get to GET"),
    ],
)
def test_a_handler_without_get(site: Site, source: str, location: Location, hint: str) -> None:
    found = check(read_tree(site({"app/a/route.py": source})), {})
    assert found == (Diagnostic("missing-get", "app/a/route.py defines no GET", location, hint),)


def test_a_helper_named_get_beside_get_is_fine(findings: Run) -> None:
    assert findings({"app/a/route.py": GET + "from httpx import get"}) == []


def test_dynamic_must_be_written_in_a_handler(site: Site) -> None:
    at = Location("app/a/route.py", 2, 1)
    hint = 'write dynamic = "force-static" at the top level'
    message = "app/a/route.py does not say that it is static"
    found = check(read_tree(site({"app/a/route.py": "x = 1\ndef GET(): ..."})), {})
    assert found == (Diagnostic("not-force-static", message, at, hint),)


@pytest.mark.parametrize("path", ["app/a/route.py", "app/a/page.py", "app/layout.py", "app/a/sitemap.py"])
def test_a_dynamic_setting_that_needs_a_server_is_refused_anywhere(findings: Run, path: str) -> None:
    source = 'dynamic = "force-dynamic"\n' + _source(path).replace(STATIC, "")
    message = 'dynamic = "force-dynamic" needs a server, and an export has none'
    assert findings({path: source}) == [("not-force-static", f"{path}:1:1", message)]


def test_a_handler_that_does_not_parse_is_not_blamed_twice(findings: Run) -> None:
    assert findings({"app/[a]/route.py": "def GET(:", "app/sitemap.py": "def ("}) == []


def test_dynamic_that_is_no_literal_is_not_also_missing(findings: Run) -> None:
    assert findings({"app/a/route.py": "from lib import dynamic, GET"}) == []


@pytest.mark.parametrize(
    ("path", "source", "message", "hint"),
    [
        ("app/sitemap.py", "", "app/sitemap.py defines no sitemap()", "define sitemap(), or delete the file"),
        (
            "app/opengraph-image.py",
            "def opengraphImage(): ...",
            "app/opengraph-image.py defines no opengraph_image()",
            "rename opengraphImage to opengraph_image",
        ),
        ("app/icon2.py", "", "app/icon2.py defines no icon()", "define icon(), or delete the file"),
    ],
)
def test_a_metadata_file_needs_its_function(
    site: Site, path: str, source: str, message: str, hint: str
) -> None:
    (found,) = check(read_tree(site({path: source})), {})
    assert (found.code, found.message, found.hint) == ("unknown-export", message, hint)


def test_a_page_of_a_module_alone_must_load(findings: Run) -> None:
    message = "app/a/page.py has nothing to show: no load(), and no page.html or page.md beside it"
    files = {"app/a/page.py": "metadata = {}", "app/docs/[...slug]/page.py": "metadata = {}"}
    assert findings(files, DOCS) == [("unknown-export", "app/a/page.py:1:1", message)]


def test_every_dynamic_route_needs_its_params(findings: Run) -> None:
    files = {
        "app/a/[slug]/page.md": "",
        "app/b/[slug]/route.py": GET,
        "app/c/[[...slug]]/page.py": "def load(ctx): ...",
        "app/[lang]/layout.py": GENERATE,
        "app/[lang]/page.md": "",
        "app/[lang]/[kind]/page.md": "",
        "app/d/[slug]/icon.png": "",
    }
    says = "nothing says which values {} can have"
    assert findings(files, DOCS) == [
        ("missing-static-params", "app/[lang]/[kind]/page.md", says.format('"kind" of /[lang]/[kind]')),
        ("missing-static-params", "app/a/[slug]/page.md", says.format('"slug" of /a/[slug]')),
        ("missing-static-params", "app/b/[slug]/route.py:2:1", says.format('"slug" of /b/[slug]')),
        ("missing-static-params", "app/c/[[...slug]]/page.py:1:1", says.format('"slug" of /c/[[...slug]]')),
        ("missing-static-params", "app/d/[slug]/icon.png", says.format('"slug" of /d/[slug]/icon.png')),
    ]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("app/a/[...slug]/page.md", 'in app/a/[...slug]/page.py: return [{"slug": […]}]'),
        ("app/a/[slug]/icon.png", 'in app/a/[slug]/layout.py: return [{"slug": …}]'),
        ("app/[lang]/[id]/page.py", 'in app/[lang]/[id]/page.py: return [{"lang": …, "id": …}]'),
    ],
)
def test_the_hint_names_the_file_to_write(site: Site, path: str, hint: str) -> None:
    (found,) = check(read_tree(site({path: "load = 1"})), {})
    assert found.hint == f"define generate_static_params() {hint}"


@pytest.mark.parametrize("path", ["app/docs/[...slug]/page.html", "app/docs/[...slug]/route.py"])
def test_a_collection_gives_params_to_what_stands_at_its_route_only(findings: Run, path: str) -> None:
    files = {path: GET, "app/blog/[...slug]/page.html": ""}
    assert [place for _, place, _ in findings(files, DOCS)] == ["app/blog/[...slug]/page.html"]


NAMES = """generateStaticParams = getStaticProps = 1
generateMetadata = 1
dynamicParams = False
dynamc = 1
revalidates = 1
load = 1
"""


def test_names_that_are_nearly_right_are_warnings(site: Site) -> None:
    found = check(read_tree(site({"app/a/page.py": NAMES})), {})
    assert [(f.code, f.severity, str(f.location), f.hint) for f in found] == [
        ("unknown-export", "warning", f"app/a/page.py:{at}", hint)
        for at, hint in [
            ("1:1", 'did you mean "generate_static_params"?'),
            ("1:24", "delete it: load is there too"),
            ("2:1", 'did you mean "generate_metadata"?'),
            ("3:1", 'did you mean "dynamic_params"?'),
            ("4:1", 'did you mean "dynamic"?'),
            ("5:1", 'did you mean "revalidate"?'),
        ]
    ]


@pytest.mark.parametrize(
    "source",
    [
        "def load(): ...\ndef GET(): return load()",
        "metadata = {}\ndef GET(): return metadata",
        "def sitemap(): ...\nGET = sitemap",
        "revalidates = 60\ndef GET(): return revalidates",
        "def get_static_props(): ...\ndef GET(): return get_static_props()",
    ],
)
def test_a_name_without_meaning_that_its_module_uses_is_the_authors(findings: Run, source: str) -> None:
    assert findings({"app/a/route.py": f"{STATIC}{source}"}) == []


def test_get_beside_an_open_star_import_is_a_warning(findings: Run) -> None:
    source = STATIC + "from starlette.thing import *\ndef get(): ..."
    assert findings({"app/a/route.py": source}) == [
        ("unknown-export", "app/a/route.py:3:1", "get has no meaning in app/a/route.py")
    ]


def test_all_findings_of_all_files_come_sorted_by_place(findings: Run) -> None:
    files = {
        "app/b/route.py": "def POST(): ...",
        "app/a/route.py": GET + "def PUT(): ...",
        "app/a/page.md": "",
    }
    assert [(code, place) for code, place, _ in findings(files)] == [
        ("route-conflict", "app/a/route.py"),
        ("non-get-handler", "app/a/route.py:3:1"),
        ("non-get-handler", "app/b/route.py:1:1"),
    ]


CONFLICTS = [
    (
        ["app/a/page.md", "app/a/route.py"],
        "app/a/route.py",
        "app/a holds both a page and a route handler",
    ),
    (
        ["app/(x)/page.md", "app/(y)/page.md"],
        "app/(y)/page.md",
        "app/(y)/page.md and app/(x)/page.md both answer /",
    ),
    (
        ["app/(x)/a/route.py", "app/a/page.md"],
        "app/a/page.md",
        "app/a/page.md and app/(x)/a/route.py both answer /a",
    ),
    (
        ["app/sitemap.py", "app/sitemap.xml/route.py"],
        "app/sitemap.xml/route.py",
        "app/sitemap.xml/route.py and app/sitemap.py both answer /sitemap.xml",
    ),
    (
        ["app/404/page.md", "app/not-found.md"],
        "app/not-found.md",
        "app/not-found.md and app/404/page.md both answer /404",
    ),
    (
        ["app/a/[id]/x/page.py", "app/a/[id]/y/page.py", "app/a/[slug]/page.py", "app/a/[slug]/z/page.py"],
        "app/a/[slug]/page.py",
        'app/a/[slug]/page.py calls the parameter "slug" where app/a/[id]/x/page.py calls it "id"',
    ),
    (
        ["app/[a]/b/[a]/page.py"],
        "app/[a]/b/[a]/page.py",
        'the parameter "a" is used twice in /[a]/b/[a]',
    ),
    (
        ["app/[...a]/b/page.py"],
        "app/[...a]/b/page.py",
        "the catch-all in /[...a]/b is not the last segment",
    ),
    (
        ["app/a/[...x]/page.py", "app/a/[[...x]]/page.py"],
        "app/a/[[...x]]/page.py",
        "app/a/[[...x]]/page.py and app/a/[...x]/page.py are a required and an optional catch-all at one level",
    ),
    (
        ["app/a/[[...x]]/page.py", "app/a/page.py"],
        "app/a/[[...x]]/page.py",
        "app/a/[[...x]]/page.py also answers /a, as app/a/page.py does",
    ),
]


@pytest.mark.parametrize(("paths", "place", "message"), CONFLICTS)
def test_conflicts(findings: Run, paths: list[str], place: str, message: str) -> None:
    found = findings({path: _source(path) if path.endswith(".py") else "" for path in paths})
    assert found == [("route-conflict", place, message)]


def _source(path: str) -> str:
    """What a module of this name needs to be without another finding."""
    own = GET if path.endswith("route.py") else "def load(): ...\n" if path.endswith("page.py") else ""
    own += "def sitemap(): ...\n" if path.endswith("sitemap.py") else ""
    return own + (GENERATE if "[" in path else "")


NO_CONFLICTS = [
    ["app/[id]/page.py", "app/[...rest]/page.py", "app/a/page.py"],
    ["app/a/[slug]/page.py", "app/a/[slug].json/route.py", "app/a/[id].md/route.py"],
    ["app/a/[[...x]]/page.py", "app/a/sitemap.py"],
    ["app/[...x]/page.py", "app/[...x]/opengraph-image.png"],
    ["app/(x)/a/page.py", "app/(y)/b/page.py"],
    ["app/api/route.py", "app/api/posts/route.py"],
]


@pytest.mark.parametrize("paths", NO_CONFLICTS)
def test_no_conflicts(findings: Run, paths: list[str]) -> None:
    assert findings({path: _source(path) if path.endswith(".py") else "" for path in paths}) == []


def test_a_conflict_notes_the_first_place(site: Site) -> None:
    files = {"app/(x)/page.md": "", "app/(y)/page.md": ""}
    (found,) = check(read_tree(site(files)), {})
    assert found.hint == "keep one of them; route groups are no part of the URL"
    assert found.notes == (Note("app/(x)/page.md is here", Location("app/(x)/page.md")),)


def test_collections_conflict_with_other_names_and_each_other(findings: Run) -> None:
    other = Collection("more", "content/more", "/docs/[...slug]", location=Location("pybuild.toml", 9))
    odd = Collection("odd", "content/odd", "/odd/", location=Location("pybuild.toml", 13))
    files = {
        "app/docs/[...path]/page.py": GENERATE + "def load(): ...",
        "app/docs/[...slug]/route.py": GET + GENERATE,
    }
    assert findings(files, {**DOCS, "more": other, "odd": odd}) == [
        (
            "route-conflict",
            "app/docs/[...slug]/route.py",
            'app/docs/[...slug]/route.py calls the parameter "slug" where '
            'app/docs/[...path]/page.py calls it "path"',
        ),
        (
            "route-conflict",
            "pybuild.toml:9",
            'the collection "more" and the collection "docs" both answer /docs/[...slug]',
        ),
    ]
