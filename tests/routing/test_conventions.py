"""File names with a meaning, and those that only look so."""

from __future__ import annotations

import pytest

from pybuild.routing.conventions import (
    Oddity,
    Special,
    is_server_file,
    metadata_url_name,
    odd_file,
    special_file,
)

SPECIAL = [
    ("page.md", Special("page", "markdown")),
    ("page.html", Special("page", "template")),
    ("page.py", Special("page", "python")),
    ("layout.html", Special("layout", "template")),
    ("layout.py", Special("layout", "python")),
    ("route.py", Special("handler", "python")),
    ("not-found.md", Special("not_found", "markdown")),
    ("not-found.html", Special("not_found", "template")),
    ("not-found.py", Special("not_found", "python")),
    ("sitemap.py", Special("metadata", "python", "sitemap")),
    ("sitemap.xml", Special("metadata", "static", "sitemap")),
    ("robots.py", Special("metadata", "python", "robots")),
    ("robots.txt", Special("metadata", "static", "robots")),
    ("manifest.py", Special("metadata", "python", "manifest")),
    ("manifest.json", Special("metadata", "static", "manifest")),
    ("manifest.webmanifest", Special("metadata", "static", "manifest")),
    ("favicon.ico", Special("metadata", "static", "favicon")),
    ("icon.svg", Special("metadata", "static", "icon")),
    ("icon2.png", Special("metadata", "static", "icon")),
    ("icon.py", Special("metadata", "python", "icon")),
    ("apple-icon.png", Special("metadata", "static", "apple-icon")),
    ("opengraph-image.jpeg", Special("metadata", "static", "opengraph-image")),
    ("twitter-image3.py", Special("metadata", "python", "twitter-image")),
]
ORDINARY = [
    "README.md",
    "style.css",
    "data.json",
    "layout.md",
    "route.html",
    "favicon.png",
    "favicon.py",
    "sitemap2.xml",
    "opengraph-image.alt.txt",
    "page.test.py",
    "icon.txt",
    "page",
    "",
]


@pytest.mark.parametrize(("name", "special"), SPECIAL)
def test_special(name: str, special: Special) -> None:
    assert special_file(name) == special
    assert odd_file(name) is None


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary(name: str) -> None:
    assert special_file(name) is None


@pytest.mark.parametrize(
    "name", ["README.md", "routes.json", "helpers.py", "template.py", "main.js", "index.py", "app.tsx", ".x"]
)
def test_nothing_to_say(name: str) -> None:
    assert odd_file(name) is None


SCRIPTS = [
    ("page.tsx", "write page.md or page.html or page.py instead"),
    ("page.js", "write page.md or page.html or page.py instead"),
    ("route.ts", "write route.py instead"),
    ("layout.jsx", "write layout.html or layout.py instead"),
    ("not-found.tsx", "write not-found.md or not-found.html or not-found.py instead"),
    ("sitemap.ts", "write sitemap.py instead"),
    ("opengraph-image.tsx", "write opengraph-image.py instead"),
]


@pytest.mark.parametrize(("name", "hint"), SCRIPTS)
def test_scripts_name_the_file_to_write(name: str, hint: str) -> None:
    assert odd_file(name) == Oddity(
        "unsupported-feature", "is not read: there is no JavaScript runtime", hint
    )


def test_markdown_with_components() -> None:
    assert odd_file("page.mdx") == Oddity(
        "unsupported-feature", "is not read: Markdown is never run as code", "write page.md instead"
    )


@pytest.mark.parametrize(
    "name", ["loading.html", "loading.py", "error.tsx", "error.html", "template.html", "default.html"]
)
def test_files_of_a_client_are_a_warning(name: str) -> None:
    odd = odd_file(name)
    assert odd is not None
    assert (odd.code, odd.severity) == ("unsupported-feature", "warning")
    assert odd.message.startswith("has no meaning in an export: ")


MISSPELT = [
    ("Page.md", "page.md"),
    ("PAGE.HTML", "page.html"),
    ("pages.md", "page.md"),
    ("routes.py", "route.py"),
    ("layouts.html", "layout.html"),
    ("not_found.md", "not-found.md"),
    ("notfound.html", "not-found.html"),
    ("opengraph_image.png", "opengraph-image.png"),
    ("apple_icon.py", "apple-icon.py"),
    ("robot.txt", "robots.txt"),
    ("Sitemap.xml", "sitemap.xml"),
    ("index.md", "page.md"),
    ("index.html", "page.html"),
]


@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_misspelt(name: str, meant: str) -> None:
    assert odd_file(name) == Oddity(
        "unknown-export", "is not a special file", f'did you mean "{meant}"?', "warning"
    )


@pytest.mark.parametrize(
    ("name", "content_type", "last"),
    [
        ("sitemap.py", None, "sitemap.xml"),
        ("robots.py", None, "robots.txt"),
        ("manifest.py", None, "manifest.webmanifest"),
        ("manifest.json", None, "manifest.json"),
        ("icon.py", None, "icon.png"),
        ("icon2.py", "image/svg+xml", "icon2.svg"),
        ("opengraph-image.py", "image/jpeg", "opengraph-image.jpg"),
        ("opengraph-image.py", "image/x-unknown", "opengraph-image"),
        ("icon.svg", None, "icon.svg"),
    ],
)
def test_the_url_of_a_metadata_file(name: str, content_type: str | None, last: str) -> None:
    assert metadata_url_name(name, content_type) == last


def test_server_files() -> None:
    names = ["proxy.py", "middleware.py", "middleware.ts", "proxy.js", "proxy.md", "proxies.py"]
    assert [name for name in names if is_server_file(name)] == names[:4]
