"""What `dev` answers where something is wrong, and after it is mended."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from developing import OPTIONS, asked, body_of, session_of
from incremental import damage, put, unseen, write_site

from pybuild.build.export import export
from pybuild.build.runs import Observer
from pybuild.cache import fingerprint
from pybuild.config.loader import load_config
from pybuild.dev.messages import SCRIPT, Change
from pybuild.dev.session import Session

SETTINGS = """
[site]
url = "https://a.example"
title = "A"
[build]
git_dates = false
timeout = 5
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
"""
FILES = {
    "pybuild.toml": SETTINGS,
    "app/page.html": "<h1>Home</h1>",
    "app/api/route.py": "from pybuild import JSONResponse\ndynamic = 'force-static'\ndef GET():\n    return JSONResponse([1])\n",
    "app/code/page.py": "from lib.data import number\ndef load(ctx):\n    return {'n': number}\n",
    "app/code/page.html": "<h1>{{ n }}</h1>",
    "lib/data.py": "number = 1\n",
    "content/docs/a.md": "---\ntitle: A\n---\nText of a.\n",
    "content/docs/b.md": "# B\n",
    "content/docs/draft.md": "---\ndraft: true\n---\n# Draft\n",
    "content/docs/later.md": "---\ndate: 2999-01-01\n---\n# Later\n",
    "public/a.html": "<p>plain",
    "public/x.css": "a {}",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_site(tmp_path / "site", FILES)
    return tmp_path / "site"


@pytest.fixture
def session(root: Path, tmp_path: Path) -> Iterator[Session]:
    with session_of(root, tmp_path / "dev") as session:
        yield session


def change(session: Session, root: Path, path: str, text: str) -> None:
    put(root, path, text)
    session.take(Change(frozenset({path})))


def text_of(session: Session, target: str, **headers: str) -> tuple[int, str]:
    reply = asked(session, target, **headers)
    return reply.answer.status, body_of(reply).decode()


BROKEN = {
    "front matter": (
        "content/docs/a.md", "---\ntitle: [\n---\n", "/docs/a",
        "content/docs/a.md:2:1: error[front-matter-error]: ",
    ),
    "template": ("app/page.html", "<h1>{% if %}", "/", "app/page.html:1: error[template-error]: "),
    "undefined": ("app/page.html", "\n{{ nothing }}", "/", "app/page.html:2: error[template-error]: "),
    "syntax": ("app/code/page.py", "def load(:\n", "/code", "app/code/page.py:1:10: error[import-error]: "),
    "library": ("lib/data.py", "number = 1 / 0\n", "/code", "lib/data.py:1: error[import-error]: "),
    "handler": ("app/api/route.py", FILES["app/api/route.py"].replace("[1]", "1 / 0"), "/api", "app/api/route.py:4: error[handler-error]: "),
    "method": ("app/api/route.py", FILES["app/api/route.py"] + "def POST():\n    pass\n", "/api", "app/api/route.py:5:1: error[non-get-handler]: "),
    "exit": ("app/code/page.py", "import os\ndef load(ctx):\n    os._exit(3)\n", "/code", "app/code/page.py:2:1: error[handler-error]: /code ended its process with exit status 3"),
    "hang": ("app/code/page.py", "def load(ctx):\n    while True: pass\n", "/code", "app/code/page.py:2: error[handler-timeout]: /code was stopped after 5 seconds"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_page_with_an_error_answers_500_and_no_other(session: Session, root: Path, name: str) -> None:
    path, text, target, message = BROKEN[name]
    assert asked(session, target).answer.status == 200
    change(session, root, path, text)
    status, said = text_of(session, target, Accept="application/json")
    assert status == 500
    assert said.startswith(message)
    for other in {"/", "/docs/a", "/docs/b", "/api", "/code", "/x.css"} - {target}:
        assert asked(session, other).answer.status == 200, other
    change(session, root, path, FILES[path])
    assert asked(session, target).answer.status == 200


def test_who_takes_html_is_shown_the_error(session: Session, root: Path) -> None:
    change(session, root, "content/docs/a.md", "---\ntitle: [\n---\n")
    assert asked(session, "/docs/a").wants_html
    assert asked(session, "/docs/a", Accept="text/html").wants_html
    for other in (
        asked(session, "/docs/a", Accept="text/markdown"),
        asked(session, "/docs/a.md"),
        asked(session, "/docs/a", "HEAD"),
    ):
        assert (other.answer.status, other.wants_html) == (500, False)


def test_a_broken_document_from_the_start(root: Path, tmp_path: Path) -> None:
    put(root, "content/docs/a.md", "---\ntitle: [\n---\n")
    with session_of(root, tmp_path / "dev") as session:
        assert asked(session, "/docs/a").answer.status == 500
        assert asked(session, "/docs/nope").answer.status == 404
        assert asked(session, "/docs/b").answer.status == 200


def test_broken_settings_stop_pages_and_nothing_else(session: Session, root: Path) -> None:
    assert asked(session, "/").answer.status == 200
    change(session, root, "pybuild.toml", SETTINGS + "[sitee]\n")
    status, said = text_of(session, "/", Accept="application/json")
    assert (status, "pybuild.toml:" in said, "error[config-error]" in said) == (500, True, True)
    assert asked(session, "/x.css").answer.status == 200
    change(session, root, "pybuild.toml", "= nonsense")
    assert asked(session, "/docs/a").answer.status == 500
    (root / "pybuild.toml").unlink()
    session.take(Change(frozenset({"pybuild.toml"})))
    assert asked(session, "/docs/a").answer.status == 500
    change(session, root, "pybuild.toml", SETTINGS)
    assert asked(session, "/docs/a").answer.status == 200


def test_broken_settings_from_the_start(root: Path, tmp_path: Path) -> None:
    put(root, "pybuild.toml", "= nonsense")
    with session_of(root, tmp_path / "dev") as session:
        assert asked(session, "/").answer.status == 500
        change(session, root, "pybuild.toml", SETTINGS)
        assert asked(session, "/").answer.status == 200


def test_the_script_goes_into_html_of_whoever_made_it(session: Session) -> None:
    for target, body in (("/a.html", b"<p>plain" + SCRIPT), ("/x.css", b"a {}")):
        assert body_of(asked(session, target)) == body
    assert body_of(asked(session, "/nope")).count(SCRIPT + b"</body>") == 1
    reply = asked(session, "/docs/a")
    tag = dict(reply.answer.headers)["ETag"]
    assert asked(session, "/docs/a", If_None_Match=tag).answer.status == 304
    whole = body_of(reply)
    assert body_of(asked(session, "/docs/a", Range="bytes=5-20")) == whole[5:21]


def test_drafts_are_marked_and_not_in_the_bytes(session: Session) -> None:
    assert [asked(session, target).mark for target in ("/docs/draft", "/docs/later", "/docs/a")] == [
        "draft",
        "future",
        "",
    ]


def test_a_body_is_read_again_without_reading_the_site(session: Session, root: Path) -> None:
    asked(session, "/docs/b")
    change(session, root, "content/docs/b.md", "# B\n\nmore\n")
    assert b"more" in body_of(asked(session, "/docs/b"))
    change(session, root, "content/docs/b.md", "# Bee\n")
    assert b"Bee</title>" in body_of(asked(session, "/docs/b")).replace(b" \xe2\x80\x94 A", b"")
    change(session, root, "templates/default/document.html", "<h1>mine</h1>{{ document.html }}")
    assert b"<h1>mine</h1>" in body_of(asked(session, "/docs/b"))


def test_a_page_is_rendered_without_any_other(session: Session, root: Path) -> None:
    put(
        root,
        "app/code/page.py",
        "import pathlib\ndef load(ctx):\n    pathlib.Path('touched').touch()\n    return {'n': 1}\n",
    )
    assert asked(session, "/docs/a").answer.status == 200
    assert not (root / "touched").exists()
    assert asked(session, "/sitemap.xml").answer.status == 200
    assert (root / "touched").exists()


def test_front_matter_that_an_export_read_is_not_read_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "MARGIN", -(10**12))  # every file is old
    assert export(load_config(root, OPTIONS)[0], Observer()).ok
    read: list[str] = []
    sys.addaudithook(lambda event, words: read.append(str(words[0])) if event == "open" else None)

    def documents_read(name: str) -> list[str]:
        read.clear()
        with session_of(root, tmp_path / name) as session:
            session.take(Change())
            found = [path.rpartition("/")[2] for path in read if "content/docs/" in path]
            assert text_of(session, "/docs/a")[0] == 200
        return sorted(found)

    assert documents_read("kept") == []
    unseen(root, "content/docs/b.md", "# C\n")
    put(root, "content/docs/a.md", "---\ntitle: Anew\n---\n")
    with session_of(root, tmp_path / "changed") as session:
        assert "<title>Anew" in text_of(session, "/docs/a")[1]
    assert "a.md" in documents_read("again")
    for step in range(4):
        damage(root, step)
        with session_of(root, tmp_path / f"damaged{step}") as session:
            assert [text_of(session, f"/docs/{name}")[0] for name in "ab"] == [200, 200]
