"""Links as authors write them, in Markdown and in templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.config.loader import Config
from pybuild.config.schema import Options, Settings, Site
from pybuild.records import Link
from pybuild.render.links import Home, LinkMap

FILES = {
    "content/docs/index.md": "/docs",
    "content/docs/a.md": "/docs/a",
    "content/docs/sub/index.md": "/docs/sub",
    "content/docs/sub/b.md": "/docs/sub/b",
    "content/docs/Two Words é.md": "/docs/Two Words é",
    "app/about/page.md": "/about",
}
HERE = Home("content/docs/a.md", "/docs/a", "content/docs", "/docs")


def links(root: Path = Path("/site"), *, base: str = "", trailing_slash: bool = False) -> LinkMap:
    site = Site(url=f"https://example.com{base}", title="T")
    config = Config(root, "pybuild.toml", Settings(site=site, trailing_slash=trailing_slash), Options())
    return LinkMap(config, FILES, frozenset({"/", "/about", *FILES.values()}))


@pytest.mark.parametrize(
    "written, href, absolute",
    [
        (
            "b.md",
            "/docs/b.md",
            "https://example.com/docs/b.md",
        ),  # nothing of that name: the browser's reading
        ("sub/b.md", "/docs/sub/b", "https://example.com/docs/sub/b.md"),
        ("./sub/b.md#x", "/docs/sub/b#x", "https://example.com/docs/sub/b.md#x"),
        ("sub/b", "/docs/sub/b", "https://example.com/docs/sub/b.md"),
        ("sub/", "/docs/sub", "https://example.com/docs/sub.md"),
        ("sub/index.md?q=1#x", "/docs/sub?q=1#x", "https://example.com/docs/sub.md?q=1#x"),
        ("../../app/about/page.md", "/about", "https://example.com/about.md"),
        (
            "Two%20Words%20%C3%A9.md",
            "/docs/Two%20Words%20%C3%A9",
            "https://example.com/docs/Two%20Words%20%C3%A9.md",
        ),
        (
            "Two Words e\u0301.md",
            "/docs/Two%20Words%20%C3%A9",
            "https://example.com/docs/Two%20Words%20%C3%A9.md",
        ),
        ("/docs/sub/b", "/docs/sub/b", "https://example.com/docs/sub/b.md"),
        ("/docs/sub/b/", "/docs/sub/b", "https://example.com/docs/sub/b.md"),
        ("/files/x.pdf", "/files/x.pdf", "https://example.com/files/x.pdf"),
        ("/", "/", "https://example.com/index.md"),
        ("#here", "#here", "https://example.com/docs/a.md#here"),
        ("?q=1", "?q=1", "https://example.com/docs/a.md?q=1"),
        ("../..", "/", "https://example.com/index.md"),
        ("../../../../etc/passwd", "/etc/passwd", "https://example.com/etc/passwd"),
        ("https://example.org/a.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("//example.org/a", "//example.org/a", "//example.org/a"),
        ("mailto:a@example.org", "mailto:a@example.org", "mailto:a@example.org"),
        ("", "", ""),
    ],
)
def test_links_of_documents(written: str, href: str, absolute: str) -> None:
    found = links().resolve(written, 3, HERE)
    assert (found.href, found.absolute, found.asset) == (href, absolute, None)


def test_a_link_is_kept_with_its_place() -> None:
    found = links().resolve("sub/b.md#caf%C3%A9", 7, HERE)
    assert found.link == Link("/docs/sub/b", "café", "content/docs/a.md", 7, "sub/b.md#caf%C3%A9")
    assert links().resolve("https://example.org", 7, HERE).link is None


@pytest.mark.parametrize(
    "written, href",
    [
        ("sub/b.md", "/base/docs/sub/b"),
        ("/about", "/base/about"),
        ("/base/about", "/base/about"),
        ("/", "/base/"),
        ("/base", "/base/"),
        ("/basement", "/base/basement"),
    ],
)
def test_documents_may_leave_the_base_path_to_us(written: str, href: str) -> None:
    assert links(base="/base").resolve(written, 1, HERE).href == href


def test_a_page_named_like_the_base_path_is_meant_first() -> None:
    found = links(base="/docs").resolve("/docs/a", 1, HERE)
    assert found.href == "/docs/docs/a"


def test_pages_end_with_a_slash_where_the_site_says_so() -> None:
    known = links(trailing_slash=True)
    written = ["sub/b.md#x", "/about", "/files/x.pdf", "../sub/b"]
    assert [known.resolve(href, 1, HERE).href for href in written] == [
        "/docs/sub/b/#x",
        "/about/",
        "/files/x.pdf",
        "/docs/sub/b/",
    ]
    assert known.resolve("sub/b.md", 1, HERE).absolute == "https://example.com/docs/sub/b/index.md"


@pytest.mark.parametrize(
    "href, followed",
    [
        ("/base/about", ("/about", "")),
        ("/base/about/#x", ("/about", "x")),
        ("/base", ("/", "")),
        ("/about", None),
        ("/basement", None),
        ("sub", ("/docs/sub", "")),
        ("#x", ("/docs/a", "x")),
        ("https://example.org", None),
    ],
)
def test_templates_say_what_browsers_read(href: str, followed: tuple[str, str] | None) -> None:
    assert links(base="/base").follow(href, "/docs/a") == followed


def test_files_beside_a_document_are_published_beside_its_page(tmp_path: Path) -> None:
    for name in ("img/p.png", "code.py", ".secret", "a b.txt"):
        (tmp_path / "content/docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "content/docs" / name).write_text("x")
    (tmp_path / "content/out.txt").write_text("x")
    (tmp_path / "content/docs/away.txt").symlink_to("/etc/hostname")
    known = links(tmp_path)
    written = ["img/p.png", "a%20b.txt", "code.py", ".secret", "../out.txt", "away.txt", "none.png"]
    assets = [known.resolve(href, 1, HERE).asset for href in written]
    assert [asset.path if asset else None for asset in assets] == [
        "docs/img/p.png",
        "docs/a b.txt",
        *[None] * 5,
    ]


def test_a_link_into_public_is_a_url(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public/logo.svg").write_text("x")
    assert links(tmp_path).resolve("../../public/logo.svg", 1, HERE).href == "/logo.svg"


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("../../site/about", "/about"),
        ("../../site", "/"),
        ("../../site/docs/a#x", "/docs/a"),
        ("../about", "/about"),
        ("sub/b", "/docs/sub/b"),
    ],
)
def test_out_of_the_base_path_and_back_into_it(written: str, target: str) -> None:
    below = links(base="/site")
    found = below.resolve(written, 1, HERE).link
    assert found and (found.target, below.follow(written, "/docs/a")) == (target, (target, found.fragment))


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("//example.com/site/about", ("/about", "")),
        ("//EXAMPLE.com/site/none#x", ("/none", "x")),
        ("//example.com/other", None),
        ("//b.example/site/about", None),
        ("///site/about", None),
    ],
)
def test_addresses_with_a_host_and_no_scheme(address: str, found: tuple[str, str] | None) -> None:
    assert links(base="/site").own_link(address) == found
