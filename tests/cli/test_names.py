"""Names that people type: commands of others, a folder that is no site, and what a shell completes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Files, environment, run_command

from pybuild.cli.main import cli
from pybuild.cli.names import ELSEWHERE
from pybuild.engines import ENGINES
from pybuild.hosts import TARGETS
from pybuild.serve.web_servers import ENGINES as SERVERS

MakeSite = Callable[[Files], Path]
SAID = {
    "build": "pybuild export builds a site and publishes it to a folder",
    "serve": "pybuild dev serves a site while you write it, and pybuild preview serves what was exported",
    "start": "pybuild dev serves a site while you write it, and pybuild preview serves what was exported",
    "init": "pybuild new DIR makes a site",
}


@pytest.mark.parametrize("name", SAID)
def test_a_command_of_others_names_ours(name: str, tmp_path: Path) -> None:
    run = run_command(tmp_path, name, "anything", "--port", "1", cwd=tmp_path)
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1] == f'Error: there is no command "{name}"; {SAID[name]}'
    assert list(tmp_path.iterdir()) == []


def test_no_name_of_others_is_ours() -> None:
    assert ELSEWHERE.keys().isdisjoint(cli.commands)


def test_alone_in_a_folder_without_a_site(site: MakeSite, tmp_path: Path) -> None:
    run = run_command(tmp_path, cwd=tmp_path)
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1] == "This folder has no site; pybuild new DIR makes one."
    assert "\n  export " in run.stderr
    there = run_command(tmp_path, cwd=site({"app/page.md": "# A"}))
    assert (there.code, "pybuild new DIR" in there.stderr, "\n  export " in there.stderr) == (2, False, True)


@pytest.mark.parametrize("command", ["export", "check", "routes", "clean", "preview", "rules"])
@pytest.mark.parametrize("folder", ["app", "app/docs"])
def test_a_folder_of_a_site_names_the_site(command: str, folder: str, site: MakeSite) -> None:
    root = site({"app/docs/page.md": "# A"})
    run = run_command(root, command, folder, cwd=root)
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1] == (
        f"Error: {root / folder} has no pybuild.toml; the site is the folder above, {root}: name that one"
    )


def completions(where: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    env = {
        "_PYBUILD_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("pybuild", *words)),
        "COMP_CWORD": str(len(words)),
    }
    program = "from pybuild.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=where, env=environment(env), capture_output=True, text=True
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_what_a_shell_completes(site: MakeSite) -> None:
    root = site({"app/page.md": "# A", "app/docs/a/page.md": "# B"})
    assert completions(root, "export", "--explain", "/") == []
    assert run_command(root, "export", str(root)).code == 0
    assert completions(root, "export", "--explain", "/docs") == ["/docs/a", "/docs/a.md"]
    assert completions(root, "export", "--target", "") == list(TARGETS)
    assert completions(root, "rules", "--target", "ngi") == ["nginx"]
    assert completions(root, "export", "--engine", "") == list(ENGINES)
    assert completions(root, "preview", "--with", "") == list(SERVERS)
    assert completions(root, "exp") == ["export"]


@pytest.mark.parametrize("settings", ["[site", "[site]\nurl = 3\n"])
def test_a_broken_site_completes_to_nothing(settings: str, site: MakeSite) -> None:
    assert completions(site({"pybuild.toml": settings}), "export", "--explain", "/") == []
