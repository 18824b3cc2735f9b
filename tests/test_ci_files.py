"""What jobs are made of: the action, the hook, the workflows; and what a job keeps from the one before."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from harness import Files, environment, run_command

from pybuild.cli.main import cli

MakeSite = Callable[[Files], Path]
ROOT = Path(__file__).resolve().parents[1]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_the_action_runs(site: MakeSite, tmp_path: Path) -> None:
    """Its shell step, as the runner runs it: with the inputs in the environment."""
    action = read("action.yml")
    (step,) = [step for step in action["runs"]["steps"] if step.get("name") == "Export"]
    root = site({"app/page.md": "# A"})
    inputs = {"TARGET": "nginx", "OUT": "public site", "ARGS": "--strict --jobs 1"}
    env = environment({**inputs, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"})
    assert step["env"].keys() == inputs.keys()
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]], cwd=root, env=env, capture_output=True, text=True
    )
    assert (done.returncode, (root / "public site/index.html").is_file()) == (0, True), done.stderr
    empty = {**env, "TARGET": "", "ARGS": ""}
    assert (
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step["run"]], cwd=root, env=empty, capture_output=True
        ).returncode
        == 0
    )


def test_the_action_keeps_state_and_output_together() -> None:
    (cache,) = [
        step["with"] for step in read("action.yml")["runs"]["steps"] if "cache" in step.get("uses", "")
    ]
    assert cache["path"].split("\n")[:2] == [
        "${{ inputs.site }}/.pybuild",
        "${{ inputs.site }}/${{ inputs.out }}",
    ]
    assert all(cache["key"].startswith(prefix) for prefix in cache["restore-keys"].splitlines())


def test_no_input_becomes_code_of_the_shell() -> None:
    files = [ROOT / "action.yml", *(ROOT / ".github/workflows").glob("*.yml")]
    for file in files:
        scripts = re.findall(r"(?m)^ *-? *run: (\|\n(?: {6,}.*\n)+|.*)", file.read_text("utf-8"))
        assert scripts and [script for script in scripts if "${{" in script] == []


def test_the_hook_is_a_command() -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    program, command = hook["entry"].split()
    assert program == "pybuild" and command in cli.commands and hook["pass_filenames"] is False
    pattern = re.compile(hook["files"])
    assert all(
        pattern.search(name) for name in ("app/page.md", "content/a.md", "pybuild.toml", "public/a.css")
    )
    assert not any(pattern.search(name) for name in ("README.md", "lib/app/x.py", "out/index.html"))


def restore(folder: Path, copy: Path) -> None:
    """Copy as the cache of a CI job does: other inodes, and other times."""
    shutil.copytree(folder, copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.utime(path, (1_780_000_000, 1_780_000_000))


def test_state_and_output_in_another_clone_are_taken_over(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "elsewhere/new"
    for root in (old, new):
        assert run_command(tmp_path, "new", str(root), "--title", "Moved").code == 0
    words = ("--format", "json", "--target", "nginx")
    made = run_command(old, "export", str(old), *words)
    for name in (".pybuild", "out"):
        restore(old / name, new / name)
    again = run_command(new, "export", str(new), *words)
    assert (made.code, again.code) == (0, 0), again.stderr
    assert (again.summary["cached"], again.tree()) == (made.summary["pages"], made.tree())
    page = new / "content/docs/reference/settings.md"
    page.write_text(page.read_text("utf-8") + "\nOne more line.\n", "utf-8")
    edited = run_command(new, "export", str(new), *words)
    assert edited.summary["cached"] == made.summary["pages"] - 1
    clean = run_command(new, "export", str(new), *words, "--no-cache", "--out", str(tmp_path / "clean"))
    assert edited.tree() == clean.tree()


def test_the_lines_of_the_hosts_make_their_folders(tmp_path: Path) -> None:
    """The build command of each host in docs/ci.md, without installing, and the folder it then publishes."""
    rows = re.findall(
        r"(?m)^\| (Cloudflare Pages|Netlify|Vercel) \| `(.*?)` \| (.*?) \|", (ROOT / "docs/ci.md").read_text()
    )
    assert len(rows) == 3
    assert run_command(tmp_path, "new", str(tmp_path / "site")).code == 0
    for host, command, folder in rows:
        words = command.rpartition("&& ")[2].split()
        run = run_command(tmp_path, *words[1:], cwd=tmp_path / "site")
        assert (words[0], run.code) == ("pybuild", 0), run.stderr
        made = ".vercel/output/static" if host == "Vercel" else folder.strip("`")
        assert (tmp_path / "site" / made / "index.html").is_file()
    assert (tmp_path / "site/.vercel/output/config.json").is_file()
