"""The tree of routes."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Image, Route, Surroundings, Tree, read_tree

Site = Callable[[Mapping[str, str]], Path]
GENERATE = "def generate_static_params(): return []\n"


def pattern(text: str) -> Pattern:
    parsed = Pattern.parse(text)
    assert isinstance(parsed, Pattern)
    return parsed


def listed(tree: Tree) -> list[tuple[str, str, str]]:
    return [(route.kind, str(route.pattern), route.file) for route in tree.routes]


def route(tree: Tree, text: str) -> Route:
    return next(found for found in tree.routes if str(found.pattern) == text)


EVERY_KIND = {
    "app/layout.html": "",
    "app/page.md": "# Home",
    "app/not-found.md": "# Nothing",
    "app/favicon.ico": "",
    "app/robots.txt": "",
    "app/sitemap.py": "def sitemap(): return []",
    "app/icon.py": "content_type = 'image/svg+xml'\ndef icon(): ...",
    "app/(docs)/docs/[...slug]/page.html": "",
    "app/(docs)/docs/[...slug]/page.py": GENERATE,
    "app/rss.xml/route.py": "def GET(): ...",
    "app/notes.txt": "",
}


def test_every_kind_of_route_sorted_by_url(site: Site) -> None:
    tree = read_tree(site(EVERY_KIND))
    assert tree.findings == ()
    assert listed(tree) == [
        ("page", "/", "app/page.md"),
        ("not_found", "/404", "app/not-found.md"),
        ("page", "/docs/[...slug]", "app/(docs)/docs/[...slug]/page.py"),
        ("metadata", "/favicon.ico", "app/favicon.ico"),
        ("metadata", "/icon.svg", "app/icon.py"),
        ("metadata", "/robots.txt", "app/robots.txt"),
        ("handler", "/rss.xml", "app/rss.xml/route.py"),
        ("metadata", "/sitemap.xml", "app/sitemap.py"),
    ]
    assert [module.file for module in tree.modules] == [
        "app/(docs)/docs/[...slug]/page.py",
        "app/icon.py",
        "app/rss.xml/route.py",
        "app/sitemap.py",
    ]


def test_the_parts_of_a_page(site: Site) -> None:
    tree = read_tree(
        site({"app/a/page.md": "", "app/a/page.html": "", "app/a/page.py": "def load(ctx): ..."})
    )
    page = tree.routes[0]
    assert (page.folder, page.template, page.markdown, page.static) == (
        "app/a",
        "app/a/page.html",
        "app/a/page.md",
        "",
    )
    assert page.module is not None
    assert page.module.names == {"load": (1, 1)}


def test_a_metadata_file_is_copied_or_made(site: Site) -> None:
    tree = read_tree(site({"app/blog/sitemap.xml": "", "app/sitemap.py": ""}))
    assert [(r.static, r.metadata, r.module is None) for r in tree.routes] == [
        ("app/blog/sitemap.xml", "sitemap", True),
        ("", "sitemap", False),
    ]


def test_layouts_and_group_come_root_outermost(site: Site) -> None:
    files = {
        "app/layout.html": "",
        "app/layout.py": "",
        "app/(site)/layout.html": "",
        "app/(site)/blog/layout.py": "",
        "app/(site)/blog/(posts)/a/page.md": "",
    }
    around = route(read_tree(site(files)), "/blog/a").surroundings
    assert around.layouts == ("app/layout.html", "app/(site)/layout.html")
    assert [module.file for module in around.layout_modules] == ["app/layout.py", "app/(site)/blog/layout.py"]
    assert around.group == "posts"


def test_providers_are_the_parents_then_the_own_module(site: Site) -> None:
    files = {
        "app/layout.py": GENERATE,
        "app/[lang]/layout.py": GENERATE,
        "app/[lang]/page.py": GENERATE,
        "app/[lang]/[kind]/page.py": GENERATE,
        "app/[lang]/[kind]/[id]/page.py": GENERATE,
        "app/[lang]/feed.xml/route.py": "",
    }
    tree = read_tree(site(files))

    def providers(text: str) -> list[tuple[str, str]]:
        return [(p.module.file, str(p.pattern)) for p in route(tree, text).providers]

    outer, kind = ("app/[lang]/layout.py", "/[lang]"), ("app/[lang]/[kind]/page.py", "/[lang]/[kind]")
    assert providers("/[lang]") == [outer, ("app/[lang]/page.py", "/[lang]")]
    assert providers("/[lang]/[kind]") == [outer, kind]
    assert providers("/[lang]/[kind]/[id]") == [
        outer,
        kind,
        ("app/[lang]/[kind]/[id]/page.py", "/[lang]/[kind]/[id]"),
    ]
    assert providers("/[lang]/feed.xml") == [outer]


def test_a_route_without_params_asks_nobody(site: Site) -> None:
    assert route(read_tree(site({"app/a/page.py": GENERATE})), "/a").providers == ()


def test_images_of_the_nearest_folder_win_and_the_favicon_stays(site: Site) -> None:
    files = {
        "app/favicon.ico": "",
        "app/icon.png": "",
        "app/opengraph-image.png": "",
        "app/opengraph-image.alt.txt": "The site\n",
        "app/blog/[slug]/opengraph-image.py": "alt = 'A post'\ncontent_type = 'image/jpeg'\n",
        "app/blog/[slug]/page.md": "",
        "app/page.md": "",
    }
    tree = read_tree(site(files))
    shared = (
        Image("favicon", pattern("/favicon.ico"), "app/favicon.ico"),
        Image("icon", pattern("/icon.png"), "app/icon.png"),
    )
    own = "app/blog/[slug]/opengraph-image.py"
    assert route(tree, "/").surroundings.images == (
        *shared,
        Image("opengraph-image", pattern("/opengraph-image.png"), "app/opengraph-image.png", "The site"),
    )
    assert route(tree, "/blog/[slug]").surroundings.images == (
        *shared,
        Image("opengraph-image", pattern("/blog/[slug]/opengraph-image.jpg"), own, "A post"),
    )


def test_what_surrounds_a_pattern_without_a_folder(site: Site) -> None:
    tree = read_tree(site({"app/layout.html": "", "app/docs/layout.html": "", "app/(x)/page.md": ""}))
    assert tree.around(pattern("/docs/[...slug]")).layouts == ("app/layout.html", "app/docs/layout.html")
    assert tree.around(pattern("/blog/[slug]")).layouts == ("app/layout.html",)
    assert Tree().around(pattern("/blog")) == Surroundings()


def test_not_found_and_robots_have_a_meaning_at_the_root_only(site: Site) -> None:
    tree = read_tree(site({"app/a/not-found.md": "", "app/a/robots.txt": "", "app/(g)/manifest.json": ""}))
    assert listed(tree) == [("metadata", "/manifest.json", "app/(g)/manifest.json")]
    assert tree.findings == (
        Diagnostic(
            "unsupported-feature",
            "app/a/not-found.md is not read: a site has one, at its root",
            Location("app/a/not-found.md"),
            "move it to app/not-found.md",
            severity="warning",
        ),
        Diagnostic(
            "unsupported-feature",
            "app/a/robots.txt is not read: a site has one, at its root",
            Location("app/a/robots.txt"),
            "move it to app/robots.txt",
        ),
    )


def test_odd_files_are_told_with_their_place(site: Site) -> None:
    tree = read_tree(site({"app/a/page.tsx": "", "app/Page.md": "", "app/a/loading.html": ""}))
    assert [(f.code, f.severity, f.location.file) for f in tree.findings] == [
        ("unknown-export", "warning", "app/Page.md"),
        ("unsupported-feature", "warning", "app/a/loading.html"),
        ("unsupported-feature", "error", "app/a/page.tsx"),
    ]


SERVER_FILES = [
    ("proxy.py", '"""Nothing."""\n\nimport os\n', Location("proxy.py", 3, 1)),
    ("middleware.py", "def middleware(request): ...", Location("middleware.py", 1, 1)),
    ("app/a/proxy.py", "x = 1", Location("app/a/proxy.py", 1, 1)),
    ("middleware.ts", "", Location("middleware.ts")),
    ("proxy.py", "def (", Location("proxy.py")),
]


@pytest.mark.parametrize(("path", "source", "location"), SERVER_FILES)
def test_proxy_and_middleware_with_code_are_refused(
    site: Site, path: str, source: str, location: Location
) -> None:
    tree = read_tree(site({path: source}))
    hint = "write [[redirects]], [[rewrites]] or [[headers]] into the settings instead, and delete the file"
    message = f"{path} would run before each request, and nothing runs when a static file is served"
    assert tree.findings == (Diagnostic("unsupported-feature", message, location, hint),)


@pytest.mark.parametrize("path", ["proxy.py", "app/middleware.py"])
def test_a_proxy_of_comments_is_nothing(site: Site, path: str) -> None:
    assert read_tree(site({path: '"""Rules are in pybuild.toml."""\n# really\n'})).findings == ()


def test_star_imports_are_followed_inside_the_site(site: Site) -> None:
    files = {
        "app/a/route.py": "from lib.api import *\n",
        "lib/api/__init__.py": "from .verbs import *\nfrom lib.other import *\n",
        "lib/api/verbs.py": "__all__ = ['POST']\ndef POST(): ...\ndef PUT(): ...\n",
        "lib/other.py": "from lib.api import *\nGET = 1\n",
    }
    module = read_tree(site(files)).modules[0]
    assert module.names == {"GET": (1, 21), "POST": (1, 21)}
    assert not module.is_open


def test_a_star_import_that_leaves_the_site_is_open(site: Site) -> None:
    root = site({"app/a/route.py": "from .....etc import *\n", "app/b/route.py": "from starlette import *\n"})
    assert [module.is_open for module in read_tree(root).modules] == [True, True]


def test_faults_of_modules_are_findings_of_the_tree(site: Site) -> None:
    tree = read_tree(site({"app/a/route.py": "def GET(:", "app/b/layout.py": "revalidate = x"}))
    assert [(f.code, f.location) for f in tree.findings] == [
        ("import-error", Location("app/a/route.py", 1, 9)),
        ("invalid-setting", Location("app/b/layout.py", 1, 1)),
    ]


def test_an_alt_text_that_is_not_utf8(site: Site) -> None:
    root = site({"app/icon.png": ""})
    (root / "app/icon.alt.txt").write_bytes(b"\xff")
    assert [(f.code, f.location.file) for f in read_tree(root).findings] == [
        ("encoding-error", "app/icon.alt.txt")
    ]


def test_the_order_of_the_disk_does_not_matter(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    root = site({**EVERY_KIND, "app/a/page.tsx": "", "app/b/page.tsx": "", "app/[x/page.md": ""})
    tree = read_tree(root)
    listing = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listing(path), reverse=True))
    assert read_tree(root) == tree


def test_a_tree_can_be_sent_to_another_process(site: Site) -> None:
    tree = read_tree(site(EVERY_KIND))
    assert pickle.loads(pickle.dumps(tree)) == tree
