"""Publishing by the command: whole or not at all, nobody else's files, one at a time."""

from __future__ import annotations

import fcntl
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import SETTINGS, Files, Run, environment, run_command

MakeSite = Callable[[Files], Path]
Export = Callable[..., Run]
State = dict[str, tuple[int, int, bytes]]
HANDLER = 'dynamic = "force-static"\n\ndef GET():\n    {}\n'
GOOD: Files = {"app/page.md": "# Home\n", "app/a/page.md": "# A\n", "public/logo.svg": "<svg/>"}
FAULTS: dict[str, tuple[Files, tuple[str, ...], str]] = {
    "settings": ({"pybuild.toml": SETTINGS + "[buidl]\n"}, (), "config-error"),
    "front matter": ({"app/a/page.md": "---\ntitle: [\n---\n"}, (), "front-matter-error"),
    "bytes": ({"app/a/page.md": b"# caf\xe9\n"}, (), "encoding-error"),
    "method": ({"app/x/route.py": HANDLER.format("pass").replace("GET", "PUT")}, (), "non-get-handler"),
    "template": ({"app/x/page.html": "{{ nosuch }}"}, (), "template-error"),
    "syntax": ({"app/x/route.py": "def GET(:\n"}, (), "import-error"),
    "import": ({"app/x/route.py": "import nosuch\n" + HANDLER.format("pass")}, (), "import-error"),
    "exception": ({"app/x/route.py": HANDLER.format("1 / 0")}, (), "handler-error"),
    "exit": ({"app/x/route.py": HANDLER.format("raise SystemExit(0)")}, (), "handler-error"),
    "death": ({"app/x/route.py": HANDLER.format("import os; os._exit(0)")}, (), "handler-error"),
    "crash": ({"app/x/route.py": HANDLER.format("import os; os.kill(os.getpid(), 11)")}, (), "handler-error"),
    "hang": ({"app/x/route.py": 'max_duration = 1\n' + HANDLER.format("while True: pass")}, (), "handler-timeout"),
    "answer": ({"app/x/route.py": HANDLER.format("return 1")}, (), "bad-response"),
    "surrogate": ({"app/x/page.py": 'def load(ctx):\n    return {"v": "\\ud800"}\n', "app/x/page.html": "{{ v }}"}, (), "encoding-error"),
    "conflict": ({"public/A.html": "x"}, (), "output-conflict"),
    "symlink": ({}, (), "unsafe-path"),
    "link": ({"app/x/page.md": "[x](/nowhere)\n"}, ("--strict",), "broken-link"),
    "rule": ({"pybuild.toml": SETTINGS + '[[redirects]]\nsource = "/:a("\ndestination = "/"\npermanent = true\n'}, (), "invalid-rule"),
}  # fmt: skip


def state(folder: Path) -> State:
    """Every file below a folder: which one it is, when it was written, its bytes."""
    files = [p for p in folder.rglob("*") if p.is_file() and ".pybuild" not in p.relative_to(folder).parts]
    return {
        str(p.relative_to(folder)): (p.stat().st_ino, p.stat().st_mtime_ns, p.read_bytes()) for p in files
    }


def put(root: Path, files: Files) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("fault", FAULTS)
def test_any_error_leaves_the_old_output_as_it_was(fault: str, site: MakeSite, export: Export) -> None:
    files, options, code = FAULTS[fault]
    root = site(GOOD)
    assert export(root).code == 0
    before = state(root / "out")
    put(root, files)
    if fault == "symlink":
        (root / "public/leak").symlink_to("/etc/hostname")
    run = export(root, *options)
    assert run.code == 1 and code in {d["code"] for d in run.summary["diagnostics"]}
    assert "Traceback" not in run.stdout + run.stderr
    assert state(root / "out") == before
    assert not list((root / ".pybuild").rglob("tree-*"))


def numbered(count: int) -> Files:
    return {f"content/{n}.md": f"# {n}\n" for n in range(count)} | {
        "pybuild.toml": SETTINGS + '[collections.c]\nsource = "content"\nroute = "/[slug]"\n'
    }


def test_a_site_that_shrinks_is_not_published(site: MakeSite, export: Export) -> None:
    root = site(numbered(30))
    assert export(root).summary["pages"] == 31
    before = state(root / "out")
    for n in range(11):
        (root / f"content/{n}.md").unlink()
    run = export(root)
    assert (run.code, run.findings) == (1, ["error[site-shrunk]"])
    assert run.messages == ["11 of the 31 pages published last time would vanish, among them /0, /1, /10"]
    assert state(root / "out") == before
    assert export(root, "--allow-shrink").summary["pages"] == 20
    assert not (root / "out/0.html").exists()


@pytest.mark.parametrize("total, gone", [(30, 10), (60, 12)])
def test_a_site_may_lose_ten_pages_or_a_fifth(total: int, gone: int, site: MakeSite, export: Export) -> None:
    root = site(numbered(total))
    assert export(root).code == 0
    for n in range(gone):
        (root / f"content/{n}.md").unlink()
    assert (export(root).code, (root / "out/0.html").exists()) == (0, False)


def test_what_somebody_did_to_the_output_is_mended(site: MakeSite, export: Export) -> None:
    root = site(GOOD)
    expected = export(root).tree()
    (root / "out/index.html").write_text("defaced", "utf-8")
    (root / "out/a.html").unlink()
    assert export(root).tree() == expected
    shutil.rmtree(root / "out")
    assert export(root).tree() == expected
    shutil.rmtree(root / ".pybuild")
    assert export(root).tree() == expected
    shutil.rmtree(root / "out")
    shutil.rmtree(root / ".pybuild")
    assert export(root).tree() == expected


def test_an_edit_through_a_link_does_not_reach_what_is_published_next(site: MakeSite, export: Export) -> None:
    """Unchanged files are linked from the old output; one that was appended to is written anew."""
    root = site(GOOD)
    expected = export(root).tree()
    with (root / "out/a.html").open("a", encoding="utf-8") as page:
        page.write("<!-- added by a tool -->")
    (root / "app/page.md").write_text("# Changed\n", "utf-8")
    assert export(root).tree()["a.html"] == expected["a.html"]


def test_files_of_others_stay(site: MakeSite, export: Export) -> None:
    root = site(GOOD)
    foreign: Files = {
        "out/CNAME": "example.com",
        "out/.git/HEAD": "ref",
        "out/.domains": "x",
        "out/old/page.html": "x",
    }
    put(root, foreign)
    assert export(root).code == 0
    assert {path: (root / path).read_text("utf-8") for path in foreign} == foreign
    (root / "app/a/page.md").unlink()
    assert export(root).code == 0
    assert {path: (root / path).read_text("utf-8") for path in foreign} == foreign
    assert not (root / "out/a.html").exists() and not (root / "out/a.md").exists()


def test_another_folder_with_files_is_not_written_over(
    site: MakeSite, export: Export, tmp_path: Path
) -> None:
    root = site(GOOD)
    put(tmp_path / "www", {"index.html": "mine", "notes.txt": "mine"})
    before = state(tmp_path / "www")
    run = export(root, "--out", str(tmp_path / "www"))
    assert (
        run.findings == ["error[unsafe-out]"]
        and "index.html" in run.messages[0]
        and "notes.txt" not in run.messages[0]
    )
    assert state(tmp_path / "www") == before
    (tmp_path / "www/index.html").unlink()
    assert export(root, "--out", str(tmp_path / "www")).code == 0
    assert (tmp_path / "www/notes.txt").read_text("utf-8") == "mine"


OUTS = (
    "/", "..", "../..", ".", "", "app", "app/x", "content/out", "public", "public/site", "templates", "lib/out", ".git", ".git/x",
    ".pybuild", ".pybuild/x", "pybuild.toml", "pybuild.toml/x", "$HOME", "$HOME/..", "../site", "app/../app", "link", "a\nb/../app", "docs",
)  # fmt: skip


@pytest.mark.parametrize("out", OUTS)
def test_a_hostile_out_is_refused_before_any_work(out: str, site: MakeSite, tmp_path: Path) -> None:
    root = site(
        {**GOOD, "content/a.md": "x", "templates/t.html": "x", ".git/HEAD": "x", "docs/a.md": "# A\n"}
    )
    settings = SETTINGS + '[collections.d]\nsource = "docs"\nroute = "/d/[slug]"\n'
    put(root, {"pybuild.toml": settings, "app/boom/route.py": "raise SystemExit('site code ran')\n"})
    (root / "link").symlink_to(root / "app")
    home = tmp_path / "home"
    put(home, {"precious.txt": "x"})
    before = state(tmp_path)
    run = run_command(
        root, "export", ".", "--out", out.replace("$HOME", str(home)), cwd=root, env={"HOME": str(home)}
    )
    assert run.code == 2, run.stderr
    assert "error[unsafe-out]: " in run.stderr and "site code ran" not in run.stderr
    assert state(tmp_path) == before


def test_a_second_export_waits_for_the_first(site: MakeSite) -> None:
    root = site(
        {
            **GOOD,
            "app/slow.txt/route.py": HANDLER.format(
                "import time; time.sleep(1); from pybuild import PlainTextResponse; return PlainTextResponse('x')"
            ),
        }
    )
    words = [sys.executable, "-m", "pybuild", "export", str(root), "--quiet"]
    both = [subprocess.Popen(words, env=environment()) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert not list((root / ".pybuild").rglob("tree-*")) and (root / "out/slow.txt").read_text("utf-8") == "x"


def test_a_second_export_says_so_where_the_first_takes_too_long(site: MakeSite, export: Export) -> None:
    root = site(GOOD)
    (root / ".pybuild").mkdir(0o700)
    with (root / ".pybuild/lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = export(root)
    assert (run.code, run.findings) == (1, ["error[locked]"])
    assert not (root / "out").exists()


def test_descriptors_do_not_grow_with_pages(site: MakeSite, export: Export) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    run = export(site(numbered(300)), preexec_fn=few)
    assert (run.code, run.summary["pages"]) == (0, 301)


def test_the_site_may_be_moved_between_exports(site: MakeSite, export: Export, tmp_path: Path) -> None:
    root = site(GOOD)
    assert export(root).code == 0
    root.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/app/a/page.md").unlink()
    run = export(tmp_path / "elsewhere")
    assert run.code == 0 and not (run.out / "a.html").exists()


def test_modes_let_a_web_server_read(site: MakeSite, export: Export) -> None:
    root = site(GOOD)
    (root / "public/logo.svg").chmod(0o600)
    run = export(root, umask=0o077)
    assert {oct(p.stat().st_mode & 0o777) for p in run.out.rglob("*") if p.is_file()} == {"0o644"}
    assert {oct(p.stat().st_mode & 0o777) for p in (run.out, *run.out.rglob("*")) if p.is_dir()} == {"0o755"}
