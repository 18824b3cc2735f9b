"""Names from anywhere: nothing outside the output ever changes, and no two files are one on any disk."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import pytest
from faultlab import LONG, Ended, export, fused, loop_device, mounted, run, tree, world
from harness import SAMPLE_TIME, SETTINGS, copy_sample, run_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybuild.urls import collision_key, path_fault

NASTY = (
    "..", ".", "", "/", "../../x", "/etc/passwd", "a/b", "a\\b", "..\\x", "%2e%2e", "%2F", "a%2fb", "con", "AUX.txt", "nul",
    "a:b", "a?", "a*", "a.", "a ", " a", "~", "$$", "\\1", "\\g<0>", "{x}", "%s", "é", "e\u0301", "É", "K", "\u212a", "ß", "SS", "ſ",
    "\u202ea", "\u200b", "\ud800", "\0", "\n", "a\tb", "index", "index.html", "INDEX", "404", "sitemap.xml", "rss.xml", "robots.txt",
    "llms.txt", "_headers", "_redirects", ".git", ".env", ".htaccess", ".well-known", "x" * 201, "한" * 60, "한" * 67, "-rf", "a.md",
    "a.html", "a", "A", "a.json", ".pybuild", ".pybuild-stage", "out", "__proto__", "[slug]", "(group)", "@slot", "_private", "'\"<>&",
)  # fmt: skip
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=6))
PARAM = st.one_of(TEXT, TEXT, TEXT, st.none(), st.integers(), st.lists(TEXT, max_size=3), st.booleans())
SLUGS = "from pybuild import PlainTextResponse\ndynamic = 'force-static'\ndef generate_static_params():\n    return [{{'{0}': v}} for v in {1!r}]\n"
EXAMPLES = settings(
    max_examples=400 if LONG else 20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def made(folder: Path, sources: dict[str, str | None]) -> Path:
    """Write what the disk can carry of a site; a source of None is a link that leaves the site."""
    root = folder / "site"
    shutil.rmtree(folder, ignore_errors=True)
    root.mkdir(parents=True)
    (folder / "secret.txt").write_text("outside")
    for path, text in {"pybuild.toml": SETTINGS, "app/page.md": "# Home\n", **sources}.items():
        try:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.symlink_to(folder / "secret.txt") if text is None else file.write_text(text, "utf-8")
        except (OSError, ValueError):
            continue
    return root


def assert_only_the_output_changes(root: Path, *words: str) -> Ended:
    before = world(root.parent, root / "out", root / "out-deploy", root / ".pybuild")
    done = export(root, *words)
    assert world(root.parent, root / "out", root / "out-deploy", root / ".pybuild") == before
    assert done.code in {0, 1}, done.said
    assert "Traceback" not in done.said
    files = tree(root / "out") if (root / "out").exists() else {}
    assert not any(path.is_symlink() for path in (root / "out").rglob("*"))
    assert (done.code == 0) == bool(files)
    keys = [collision_key(path) for path in files]
    parents = {collision_key(str(parent)) for path in files for parent in Path(path).parents}
    assert len(set(keys)) == len(keys)
    assert parents.isdisjoint(keys)
    assert [path for path in files if path_fault(path) or unicodedata.normalize("NFC", path) != path] == []
    assert b"outside" not in files.values()
    return done


@EXAMPLES
@given(values=st.lists(PARAM, max_size=4), rest=st.lists(PARAM, max_size=3))
def test_params(scratch: Path, values: list[object], rest: list[object]) -> None:
    sources = {
        "app/h/[slug]/route.py": SLUGS.format("slug", values)
        + "def GET(request, ctx):\n    return PlainTextResponse(repr(ctx.params))\n",
        "app/j/[slug].json/route.py": SLUGS.format("slug", rest)
        + "def GET(request, ctx):\n    return PlainTextResponse('')\n",
        "app/c/[...path]/page.py": f"def generate_static_params():\n    return [{{'path': v}} for v in {rest!r}]\n",
        "app/c/[...path]/page.html": "<h1>{{ params.path | join('/') }}</h1>",
    }
    assert_only_the_output_changes(made(scratch / "world", dict(sources)))


@EXAMPLES
@given(
    pages=st.lists(TEXT, max_size=3),
    documents=st.lists(st.lists(TEXT, min_size=1, max_size=2), max_size=3),
    public=st.lists(st.lists(TEXT, min_size=1, max_size=2), max_size=4),
    links=st.lists(TEXT, max_size=1),
)
def test_routes_documents_and_public_files(
    scratch: Path, pages: list[str], documents: list[list[str]], public: list[list[str]], links: list[str]
) -> None:
    sources: dict[str, str | None] = {
        "pybuild.toml": SETTINGS + '[collections.d]\nsource = "content"\nroute = "/d/[...slug]"\n',
        "content/one.md": "# One\n",
    }
    sources |= {f"app/{name}/page.md": "# Page\n" for name in pages if "/" not in name}
    sources |= {f"content/{'/'.join(names)}.md": "# Document\n" for names in documents if inside(names)}
    sources |= {f"public/{'/'.join(names)}": "public" for names in public if inside(names)}
    sources |= {f"public/{name}": None for name in links if inside([name])}
    assert_only_the_output_changes(made(scratch / "world", sources))


def inside(names: list[str]) -> bool:
    """Whether a test may write such a file: one below the site."""
    return not any(part in {"..", "", "."} for name in names for part in name.split("/"))


@EXAMPLES
@given(sources=st.lists(TEXT, min_size=1, max_size=3), slug=TEXT)
def test_redirects_of_handlers_and_front_matter(scratch: Path, sources: list[str], slug: str) -> None:
    files = {
        f"app/r{n}/route.py": "from pybuild import redirect\ndynamic = 'force-static'\ndef GET():\n"
        + f"    redirect({text!r})\n"
        for n, text in enumerate(sources)
    }
    matter = "".join(f"{key}: {slug!a}\n" for key in ("slug", "url", "path", "permalink", "canonical"))
    done = assert_only_the_output_changes(
        made(scratch / "world", {**files, "app/x/page.md": f"---\n{matter}---\n# X\n"}), "--target", "nginx"
    )
    assert done.code in {0, 1}


@pytest.mark.parametrize(
    "victim", ["out", "out/docs", "out/index.html", ".pybuild", ".pybuild/outputs", ".pybuild/lock"]
)
def test_links_planted_in_the_output_and_the_state_are_not_followed(scratch: Path, victim: str) -> None:
    root = made(scratch / "world", {"app/docs/a/page.md": "# A\n"})
    target = scratch / "world/victim"
    target.mkdir()
    (target / "index.html").write_text("precious")
    (root / victim).parent.mkdir(parents=True, exist_ok=True)
    (root / victim).symlink_to(target / "index.html" if victim.endswith(("html", "lock")) else target)
    export(root)
    assert (target / "index.html").read_text() == "precious" or victim == "out"
    if victim in {"out/docs", "out/index.html"}:
        assert world(target) == {str(target / "index.html"): world(target)[str(target / "index.html")]}


def _image(folder: Path, maker: str, *words: str | Path) -> Path:
    image = folder / "image"
    with image.open("wb") as stream:
        stream.truncate(64 << 20)
    run(maker, *words, image)
    return image


def assert_same_bytes(tmp_path: Path, place: Path) -> None:
    """The sample site and names that only differ by case, on this disk and on that one."""
    outs = []
    for root in (copy_sample(tmp_path / "here/site"), copy_sample(place / "site")):
        for _ in range(2):
            done = run_command(root, "export", str(root), env=SAMPLE_TIME)
            assert done.code == 0, done.stderr
            readme = root / "public/readme.txt"
            readme.write_text("new\n")
        outs.append(tree(root / "out"))
    assert outs[0] == outs[1]


def test_bytes_on_a_disk_without_letter_case_exfat(tmp_path: Path) -> None:
    if not Path("/dev/fuse").exists():
        pytest.skip("there is no /dev/fuse")
    image = _image(tmp_path, "mkfs.exfat")
    with loop_device(image) as device, fused(tmp_path / "exfat", "mount.exfat-fuse", device) as place:
        (place / "A").write_text("")
        assert (place / "a").exists()
        assert_same_bytes(tmp_path, place)


def test_bytes_on_a_disk_without_letter_case_ntfs(tmp_path: Path) -> None:
    if not Path("/dev/fuse").exists():
        pytest.skip("there is no /dev/fuse")
    image = _image(tmp_path, "mkfs.ntfs", "-F", "-q")
    place = tmp_path / "ntfs"
    place.mkdir()
    run("lowntfs-3g", "-o", "ignore_case,windows_names", image, place)
    try:
        assert_same_bytes(tmp_path, place)
    finally:
        run("umount", place)


def test_bytes_with_shuffled_folders(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with fused(tmp_path / "shuffled", "disorderfs", "--shuffle-dirents=yes", tmp_path / "there") as place:
        assert_same_bytes(tmp_path, place)


def test_a_name_that_changed_its_case_is_published_on_such_a_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "tmpfs") as place:
        image = _image(place, "mkfs.ntfs", "-F", "-q")
        run("mkdir", place / "ntfs")
        run("lowntfs-3g", "-o", "ignore_case", image, place / "ntfs")
        try:
            root = made(place / "ntfs/w", {"public/Photo.txt": "one"})
            assert export(root).code == 0
            (root / "public/Photo.txt").rename(root / "public/other")
            (root / "public/other").rename(root / "public/photo.txt")
            assert export(root).code == 0
            assert [n for n in os.listdir(root / "out") if n.lower() == "photo.txt"] == ["photo.txt"]
        finally:
            run("umount", place / "ntfs")
