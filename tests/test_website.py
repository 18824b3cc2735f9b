"""The documentation as a site of its own, and the page "In five minutes" followed to the letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import environment, run_command
from previewing import free_port

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/five-minutes.md"
INSTALLING = "python3 -m venv .venv\n. .venv/bin/activate\npip install pybuild-export\n"
_BLOCK = re.compile(r"^```(\w+)\n(?:(?:# |<!-- )([\w./-]+\.\w+)(?: -->)?\n)?(.*?)^```$", re.M | re.S)


def steps(port: int) -> list[tuple[str, str, str]]:
    """The blocks of the page in order: language, file, text; with a free port in place of its own."""
    text = PAGE.read_text("utf-8").replace("4000", str(port))
    return [(match[1], match[2] or "", match[3]) for match in _BLOCK.finditer(text)]


def test_five_minutes_to_the_letter(tmp_path: Path, installed: Path) -> None:
    if not shutil.which("curl"):
        assert not os.environ.get("CI"), "the page uses curl"
        pytest.skip("the page uses curl")
    port = free_port()
    program = tmp_path / "bin/pybuild"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pybuild "$@"\n')
    program.chmod(0o755)
    env = environment({"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(installed)})
    where, said, server = tmp_path, "", None
    try:
        for language, file, text in steps(port):
            if file:
                (where / file).parent.mkdir(parents=True, exist_ok=True)
                with (where / file).open("a", encoding="utf-8") as stream:
                    stream.write(text)
            elif language == "text":
                assert said.rstrip("\n") == text.rstrip("\n")
            elif text.startswith("pybuild preview"):
                server = subprocess.Popen(
                    ["sh", "-c", f"exec {text}"], cwd=where, env=env, stdout=subprocess.PIPE, text=True
                )
                assert server.stdout is not None and f":{port}/" in server.stdout.readline()
            else:
                commands = text.removeprefix(INSTALLING)
                done = subprocess.run(
                    ["bash", "-ec", commands], cwd=where, env=env, capture_output=True, text=True
                )
                assert done.returncode == 0, done.stderr
                assert "pybuild-export" in text or (commands, done.stderr) == (text, "")
                said = done.stdout
                where = where / "mysite" if "cd mysite\n" in commands else where
    finally:
        if server is not None:
            server.terminate()
            server.communicate(timeout=20)
    assert server is not None and (where / "out-deploy/nginx/README.md").is_file()


def test_the_documentation_is_a_site_without_a_finding(tmp_path: Path) -> None:
    pytest.importorskip("griffe")
    for name in ("docs", "website", "changelog.d", "pybuild"):
        left_out = shutil.ignore_patterns("content", "out", "out-deploy", ".pybuild", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    site = tmp_path / "website"
    env = environment({"PYTHONPATH": str(tmp_path)})
    subprocess.run([sys.executable, site / "prepare.py"], check=True, env=env, cwd=tmp_path)
    run = run_command(site, "export", str(site), "--strict", "--format", "json")
    assert (run.code, run.findings) == (0, []), run.stderr
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"README"}
    assert {f"docs/{page}.html" for page in pages | {"api", "changelog", "hosts/nginx"}} <= set(run.files)
    assert "## MarkdownResponse" in (site / "content/docs/api.md").read_text("utf-8")
