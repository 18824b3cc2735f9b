"""`pybuild new`: what is written, what is refused, and that every starter is a site without a finding.

The starters are made and exported by an installed wheel, so that what ships is what is tried.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from harness import Run, environment, run_command
from previewing import fetch, previewed

from pybuild.hosts import TARGETS

STARTERS = ("docs", "blog", "api")
WITHOUT_NEGOTIATION = {"static", "github-pages", "gitlab-pages", "firebase", "azure"}
EXPORTS = """
import contextlib, io, json, sys
from pybuild.cli.main import cli

for target in sys.argv[2:]:
    said = io.StringIO()
    words = ["export", sys.argv[1], "--target", target, "--engine", "serial", "--strict", "--format", "json"]
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        cli.main(words, standalone_mode=False)
    print(said.getvalue().strip())
"""


def new(where: Path, *words: str, **options: Any) -> Run:
    return run_command(where, "new", *words, cwd=where, **options)


def tree(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}


def exports(root: Path, installed: Path, targets: list[str]) -> Mapping[str, Any]:
    """What an export to each target says, all of them in one process of the installed wheel."""
    env = environment({"PYTHONPATH": str(installed)})
    words = [sys.executable, "-c", EXPORTS, str(root), *targets]
    done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return dict(zip(targets, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("template", STARTERS)
def test_every_starter_is_a_site_without_a_finding(template: str, tmp_path: Path, installed: Path) -> None:
    made = new(tmp_path, "site", "--template", template, env={"PYTHONPATH": str(installed)})
    assert made.code == 0, made.stderr
    root = tmp_path / "site"
    files = tree(root)
    assert len(files) < 15 and {"pybuild.toml", "README.md", ".gitignore"} <= files.keys()
    assert not [path for path in files if path.endswith(".css") or path.startswith("templates/")]
    assert files["pybuild.toml"].startswith("#:schema ")
    checked = run_command(root, "check", str(root), "--strict")
    assert (checked.code, checked.stderr, checked.stdout) == (0, "", "No errors found\n")
    for target, summary in exports(root, installed, list(TARGETS)).items():
        codes = [finding["code"] for finding in summary["diagnostics"]]
        assert (target, summary["ok"], codes) == (
            target,
            True,
            ["rules-lost"] * (target in WITHOUT_NEGOTIATION),
        )
    assert {
        path: (root / path).read_text("utf-8") for path in files
    } == files  # nothing of the author was touched
    with previewed(root) as (port, _):
        assert fetch(port, "/").status == 200


def test_the_api_answers_as_its_page_says(tmp_path: Path) -> None:
    assert new(tmp_path, "api", "--template", "api").code == 0
    assert run_command(tmp_path, "export", str(tmp_path / "api")).code == 0
    with previewed(tmp_path / "api") as (port, _):
        answers = {url: fetch(port, url) for url in ("/", "/ada", "/docs")}
    assert json.loads(answers["/"].body) == {"message": "Hello world!"}
    assert json.loads(answers["/ada"].body) == {"message": "Hello ada!"}
    assert {url: seen.headers["content-type"] for url, seen in answers.items()} == {
        "/": "application/json",
        "/ada": "application/json",
        "/docs": "text/html; charset=utf-8",
    }


def test_what_is_said_at_the_end(tmp_path: Path) -> None:
    run = new(tmp_path, "my docs")
    assert (run.code, run.stderr) == (0, "")
    count = len(tree(tmp_path / "my docs"))
    assert run.stdout == (
        f"Made my docs from the starter docs: {count} files\n\n  cd 'my docs'\n  pybuild dev\n  pybuild export\n"
    )


def test_the_folder_may_be_the_current_one(tmp_path: Path) -> None:
    root = tmp_path / "here_and-now"
    root.mkdir()
    run = new(root, ".")
    assert run.stdout.endswith("\n\n  pybuild dev\n  pybuild export\n")
    assert tomllib.loads((root / "pybuild.toml").read_text())["site"]["title"] == "Here and now"


TITLES = ('Say "hi" \\ there', "#1: a = [b]", "Größe 🌊", "'''", "{{ x }} <b> *y*", "\\g<0> \\n")


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_text(title: str, tmp_path: Path, installed: Path) -> None:
    run = new(tmp_path, "site", "--title", title, "--url", "https://a.example/b")
    assert run.code == 0, run.stderr
    settings = tomllib.loads((tmp_path / "site/pybuild.toml").read_text("utf-8"))
    assert (settings["site"]["title"], settings["site"]["url"]) == (title, "https://a.example/b")
    assert settings["collections"]["docs"]["title"] == "Documentation"


def test_what_a_clone_begins_with_is_kept(tmp_path: Path) -> None:
    kept = {".git/HEAD": "ref", ".gitignore": "mine\n", "LICENSE": "MIT\n", "README.md": "# Mine\n"}
    for path, text in kept.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    run = new(tmp_path, ".")
    assert run.code == 0
    after = tree(tmp_path)
    assert {path: after[path] for path in kept} == kept and "pybuild.toml" in after
    assert f": {len(after) - len(kept)} files\n" in run.stdout


REFUSED = {
    "another file": (["."], "\".\" is not empty: it has 'notes.txt'; name a folder that is absent or empty"),
    "a file": (["notes.txt"], '"notes.txt" is a file; name a folder that is absent or empty'),
    "below a file": (["notes.txt/a"], '"notes.txt/a" cannot be written: Not a directory'),
    "no such starter": (["a", "--template", "wiki"], "'wiki' is not one of 'docs', 'blog', 'api'"),
    "no address": (["a", "--url", "example.com"], "--url is not an absolute address: 'example.com'"),
    "no title": (["a", "--title", " "], "--title must be one line of text"),
    "two lines": (["a", "--title", "a\nb"], "--title must be one line of text"),
    "no folder": ([], "Missing argument 'DIR'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing(case: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    words, said = REFUSED[case]
    run = new(tmp_path, *words)
    assert (run.code, run.stdout) == (2, "")
    assert said in " ".join(run.stderr.split())
    assert tree(tmp_path) == {"notes.txt": "mine"} and "Traceback" not in run.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    run = new(tmp_path, "a/b")
    tmp_path.chmod(0o755)
    assert (run.code, run.stdout) == (2, "")
    assert '"a" cannot be written: Permission denied' in run.stderr


def test_a_fault_midway_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to("nowhere")
    run = new(tmp_path, ".")
    assert (run.code, '"README.md" cannot be written: File exists' in run.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_terminal_is_asked(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pybuild", "new", "site"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=theirs, stdout=theirs, env=environment()) as process:
        os.close(theirs)
        os.write(ours, b"blog\n")
        assert process.wait(30) == 0
    assert (tmp_path / "site/content/blog").is_dir()


def test_a_starter_in_several_languages(tmp_path: Path, installed: Path) -> None:
    made = new(tmp_path, "site", "--languages", "en,de", env={"PYTHONPATH": str(installed)})
    assert made.code == 0, made.stderr
    root = tmp_path / "site"
    said = exports(root, installed, ["nginx", "cloudflare-pages"])
    assert [run["diagnostics"] for run in said.values()] == [[], []]
    assert (root / "out/de.md").read_text("utf-8").count("# Willkommen") == 1
    wrong = new(tmp_path, "wrong", "--languages", "en,de_AT")
    assert (wrong.code, (tmp_path / "wrong").exists()) == (2, False)
    assert "--languages has 'de_AT', which is no language tag: write \"de-AT\"" in wrong.stderr
