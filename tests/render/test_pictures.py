"""Pictures of pages: their sizes, when they are loaded, and the smaller ones that are made of them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Files, Run

from pybuild.render.pictures import Sizes

Image = pytest.importorskip("PIL.Image")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"/>'


def picture(width: int, height: int, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def turned(width: int, height: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(width, height, "JPEG", exif=exif)


SETTINGS = (
    '[site]\nurl = "https://example.com/base"\ntitle = "T"\n[build]\ngit_dates = false\n'
    '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
)
LAYOUT = (
    '<!doctype html><html lang="en"><head>{{ head }}</head><body><img src="{{ url_for("/a.png") }}" alt=""><main>{{ children }}</main>'
    "<script>let x = '<img src=\"/base/a.png\">';</script></body></html>"
)
FILES: Files = {
    "pybuild.toml": SETTINGS,
    "app/layout.html": LAYOUT,
    "content/docs/index.md": "# Docs\n\n![b](b.jpg)\n\n![c](c.svg) ![a](/a.png)\n\n"
    '<img src="/a.png" alt="" width=20 loading="eager">\n\n![x](https://e.example/x.png) `<img src="/a.png">`\n',
    "content/docs/b.jpg": turned(80, 60),
    "content/docs/c.svg": SVG,
    "public/a.png": picture(160, 90),
}
Exported = Callable[..., Run]


def images(root: Path, page: str = "docs.html") -> list[str]:
    return re.findall(r"<img [^>]*>", (root / "out" / page).read_text("utf-8"))


def test_sizes_are_those_that_browsers_show(site: Callable[[Files], Path], export: Exported) -> None:
    root = site(FILES)
    assert export(root).code == 0
    late = ' loading="lazy" decoding="async"'
    assert images(root) == [
        '<img src="/base/a.png" alt="" width="160" height="90">',
        '<img src="/base/docs/b.jpg" alt="b" width="60" height="80">',
        f'<img src="/base/docs/c.svg" alt="c" width="30" height="20"{late}>',
        f'<img src="/base/a.png" alt="a" width="160" height="90"{late}>',
        '<img src="/base/a.png" alt="" width="20" loading="eager" decoding="async">',
        '<img src="https://e.example/x.png" alt="x">',
        '<img src="/base/a.png">',
    ]


def test_what_an_element_hides_that_never_ends_is_no_picture(
    site: Callable[[Files], Path], export: Exported
) -> None:
    layout = '<!doctype html><main>{{ head }}{{ children }}</main><textarea><img src="/base/a.png">'
    root = site({**FILES, "app/layout.html": layout, "content/docs/index.md": "# Docs\n"})
    export(root)
    assert images(root) == ['<img src="/base/a.png">']


def test_smaller_pictures_are_made_once_and_kept(site: Callable[[Files], Path], export: Exported) -> None:
    root = site({**FILES, "pybuild.toml": SETTINGS + "[images]\nwidths = [40, 100]\n"})
    run = export(root)
    assert run.code == 0
    made = sorted(path for path in run.files if path.endswith(".webp"))
    assert sorted(re.sub("[0-9a-f]{10}", "D", path) for path in made) == [
        "assets/pybuild/a.D-100.webp",
        "assets/pybuild/a.D-40.webp",
        "assets/pybuild/b.D-40.webp",
    ]
    shown = [re.sub("[0-9a-f]{10}", "D", tag) for tag in images(root)]
    srcset = "/base/assets/pybuild/a.D-40.webp 40w, /base/assets/pybuild/a.D-100.webp 100w, /base/a.png 160w"
    assert f'srcset="{srcset}" sizes="(min-width: 50rem) 46rem, 100vw"' in shown[3]
    assert "srcset" not in shown[2] + shown[4]
    sizes = {Image.open(root / "out" / path).size for path in made}
    assert sizes == {(100, 56), (40, 22), (40, 53)}
    before = {path: (root / "out" / path).read_bytes() for path in made}
    (root / "content/docs/index.md").write_text("# Docs\n\n![a](/a.png)\n")
    assert {path for path in export(root).files if path.endswith(".webp")} == {
        path for path in made if "/a." in path
    }
    assert all((root / "out" / path).read_bytes() == before[path] for path in made if "/a." in path)


def test_a_page_is_made_again_when_a_picture_changes(site: Callable[[Files], Path], export: Exported) -> None:
    root = site({**FILES, "content/docs/other.md": "# Other\n"})
    export(root)
    (root / "content/docs/b.jpg").write_bytes(picture(50, 40, "JPEG"))
    export(root)
    assert 'b.jpg" alt="b" width="50" height="40"' in images(root)[1]
    (root / "public/a.png").write_bytes(picture(16, 9))
    export(root)
    assert 'width="16" height="9"' in images(root, "docs/other.html")[0]
    (root / "public/a.png").write_bytes(picture(16, 9, optimize=True) + b" ")
    assert export(root).summary["cached"] == 3  # the bytes are others, the size is not


def test_colours_are_kept_and_animations_left(site: Callable[[Files], Path], export: Exported) -> None:
    cms = pytest.importorskip("PIL.ImageCms")
    profile = cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    moving = io.BytesIO()
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    files: Files = {
        "pybuild.toml": SETTINGS + "[images]\nwidths = [20]\n",
        "app/page.md": "# H\n\n![p](/p.png) ![m](/m.webp) ![no](/no.png)\n",
        "content/docs/index.md": "# D\n",
        "public/p.png": picture(60, 40, icc_profile=profile),
        "public/m.webp": moving.getvalue(),
        "public/no.png": picture(60, 40)[:60],
    }
    root = site(files)
    made = [path for path in export(root).files if path.endswith("-20.webp")]
    assert [path.partition(".")[0] for path in made] == ["assets/pybuild/p"]
    assert Image.open(root / "out" / made[0]).info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("svg", "size"),
    [
        ('<svg width="12" height="8px">', (12, 8)),
        ('<?xml version="1.0"?>\n<svg viewBox="0,0,12.4,8">', (12, 8)),
        ('<svg width="100%" height="100%" viewBox="0 0 3 2">', (3, 2)),
        ('<svg width="1em" height="1em">', None),
        ("<svg>", None),
        ("nothing", None),
        ('<svg viewBox="0 0 a b">', None),
        ('<svg width="0" height="0">', None),
    ],
)
def test_the_size_of_svg(svg: str, size: tuple[int, int] | None, tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text(svg)
    assert Sizes(tmp_path, by_content=False).of("x.svg") == size


def test_widths_are_checked(site: Callable[[Files], Path], export: Exported) -> None:
    run = export(
        site({"pybuild.toml": SETTINGS + "[images]\nwidths = [4]\n", "content/docs/index.md": "# D\n"})
    )
    assert run.messages == ["images.widths has 4, and widths are between 16 and 10,000 pixels"]
