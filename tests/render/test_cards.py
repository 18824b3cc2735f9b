"""Cards: which pages get one, what is on it, and what a picture for sharing says of itself."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Files, Run

pytest.importorskip("resvg_py")
pytest.importorskip("fontTools")
SETTINGS = (
    '[site]\nurl = "https://example.com/base"\ntitle = "Site & co"\n[build]\ngit_dates = false\n'
    '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
)
CARDS = SETTINGS + "[cards]\nenabled = true\n"
Exported = Callable[..., Run]


def png(width: int, height: int) -> bytes:
    def part(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


def tags(run: Run, page: str) -> dict[str, str]:
    html = (run.out / page).read_text("utf-8")
    return dict(re.findall(r'<meta property="(og:image[^"]*)" content="([^"]*)">', html))


def test_a_page_without_a_picture_gets_a_card(site: Callable[[Files], Path], export: Exported) -> None:
    files: Files = {
        "pybuild.toml": CARDS,
        "content/docs/index.md": "# Docs & more\n\nText.\n",
        "content/docs/a.md": "---\ncover: a.png\n---\n# A\n",
        "content/docs/a.png": png(3, 2),
    }
    root = site(files)
    run = export(root)
    said = tags(run, "docs.html")
    assert re.fullmatch(
        r"https://example.com/base/assets/pybuild/card\.[0-9a-f]{10}\.png", said.pop("og:image")
    )
    assert said == {
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:type": "image/png",
        "og:image:alt": "Docs &amp; more",
    }
    assert tags(run, "docs/a.html") == {
        "og:image": "https://example.com/base/docs/a.png",
        "og:image:width": "3",
        "og:image:height": "2",
        "og:image:type": "image/png",
        "og:image:alt": "A",
    }
    cards = [path for path in run.files if "/card." in path]
    assert len(cards) == 2  # of the home page too, and none of the page for errors
    assert all((run.out / path).read_bytes()[16:24] == b"\0\0\x04\xb0\0\0\x02\x76" for path in cards)
    assert [path for path in export(root, "--no-cache").files if "/card." in path] == cards


def test_a_changed_title_is_another_card(site: Callable[[Files], Path], export: Exported) -> None:
    root = site({"pybuild.toml": CARDS, "content/docs/index.md": "# Docs\n"})
    first = tags(export(root), "docs.html")["og:image"]
    (root / "content/docs/index.md").write_text("# Other\n")
    second = tags(export(root), "docs.html")["og:image"]
    (root / "templates/default").mkdir(parents=True)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630">'
        '<text font-family="{{ family }}">{{ lines(title, 60, 90) | join("|") }}</text></svg>'
    )
    (root / "templates/default/card.svg").write_text(svg)
    third = tags(export(root), "docs.html")["og:image"]
    assert len({first, second, third}) == 3


def test_what_no_font_has_is_named(site: Callable[[Files], Path], export: Exported) -> None:
    run = export(site({"pybuild.toml": CARDS, "content/docs/index.md": "# Docs 漢字\n"}))
    lacking = "the card of this page lacks characters that no font of it has: 漢 字"
    assert (run.code, run.messages[:1]) == (0, [lacking])


def test_a_font_that_is_none_is_an_error(site: Callable[[Files], Path], export: Exported) -> None:
    files: Files = {
        "pybuild.toml": CARDS + 'fonts = ["x.ttf"]\n',
        "content/docs/index.md": "# D\n",
        "x.ttf": "no",
    }
    run = export(site(files))
    assert run.code == 1
    assert "cards.fonts names x.ttf, which is no font" in run.messages[0]


def test_a_picture_of_the_site_says_its_size(site: Callable[[Files], Path], export: Exported) -> None:
    named = "open_graph:\n  images:\n    - url: /b.png\n      width: 9\n      height: 9\n"
    files: Files = {
        "pybuild.toml": SETTINGS,
        "app/opengraph-image.png": png(6, 4),
        "app/opengraph-image.alt.txt": "A gauge",
        "app/page.md": "# Home\n",
        "app/other/page.md": f"---\n{named}---\n# O\n",
        "public/b.png": png(5, 5),
        "content/docs/index.md": "# D\n",
    }
    run = export(site(files))
    home = tags(run, "index.html")
    assert (home["og:image:width"], home["og:image:height"], home["og:image:alt"]) == ("6", "4", "A gauge")
    other = tags(run, "other.html")
    assert (other["og:image:width"], other["og:image:type"]) == ("9", "image/png")
