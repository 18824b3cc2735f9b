"""Build steps of others: `[build] before` in an export, `[dev] run` beside a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import SETTINGS, Files, environment, run_command

from pybuild.build.commands import running
from pybuild.config.loader import load_config

MakeSite = Callable[[Files], Path]
PAGE = {"app/page.md": "# Home\n"}


def before(*commands: str) -> dict[str, str]:
    listed = "".join(f"  {command},\n" for command in commands)
    return {**PAGE, "pybuild.toml": f"{SETTINGS}[build]\nbefore = [\n{listed}]\n"}


def gone(pid: int) -> bool:
    """Whether a process has ended, or ends within some seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_what_they_make_is_published(site: MakeSite, tmp_path: Path) -> None:
    root = site(before("'mkdir -p public'", '"echo made; echo aside >&2; echo \\"a { }\\" > public/a.css"'))
    run = run_command(root, "export", str(root), cwd=tmp_path)
    assert (run.code, (root / "out/a.css").read_text()) == (0, "a { }\n")
    assert run.stderr.startswith("made\naside\n") and "made" not in run.stdout


def test_they_run_in_every_export(site: MakeSite) -> None:
    root = site(before("'mkdir -p public; date +%s%N > public/now.txt'"))
    seen = []
    for _ in range(2):
        assert run_command(root, "export", str(root)).code == 0
        seen.append((root / "out/now.txt").read_text())
    assert seen[0] != seen[1]


def test_a_file_made_again_with_the_same_bytes_renders_nothing(site: MakeSite) -> None:
    root = site(before("'mkdir -p public; echo same > public/a.txt'"))
    runs = [run_command(root, "export", str(root), "--format", "json") for _ in range(2)]
    assert [run.summary["cached"] for run in runs] == [0, 1]


@pytest.mark.parametrize(
    ("command", "how"),
    [("exit 3", "exit code 3"), ("no-such-tool", "exit code 127"), ("kill -9 $$", "signal 9")],
)
def test_one_that_fails_ends_the_export(command: str, how: str, site: MakeSite) -> None:
    root = site(PAGE)
    assert run_command(root, "export", str(root)).code == 0
    files = before("'true'", f"'{command}'", "'touch never'")
    (root / "pybuild.toml").write_text(files["pybuild.toml"])
    (root / "app/page.md").write_text("# Changed\n")
    run = run_command(root, "export", str(root))
    assert run.code == 1 and "Home" in (root / "out/index.html").read_text()
    assert run.stderr.endswith(
        f'pybuild.toml:7: error[config-error]: the command "{command}" ended with {how}\n'
        f"  |   '{command}',\n"
        "  fix: correct the command, or what it runs; its output is above\n"
        "1 error\n"
    )
    assert not (root / "never").exists()


def test_of_a_quiet_export_only_a_failure_is_shown(site: MakeSite) -> None:
    root = site(before("'echo fine'"))
    run = run_command(root, "export", str(root), "--quiet")
    assert (run.code, run.stdout, run.stderr) == (0, "", "")
    (root / "pybuild.toml").write_text(before("'echo why; false'")["pybuild.toml"])
    run = run_command(root, "export", str(root), "--quiet")
    assert (run.code, run.stderr.startswith("why\npybuild.toml:6: error[config-error]")) == (1, True)


def test_check_runs_none(site: MakeSite) -> None:
    root = site(before("'touch ran'"))
    assert run_command(root, "check", str(root)).code == 0
    assert not (root / "ran").exists()


def test_a_site_with_wrong_settings_runs_none(site: MakeSite) -> None:
    root = site({**PAGE, "pybuild.toml": f"{SETTINGS}[build]\nbefore = ['touch ran']\nunknown = 1\n"})
    assert run_command(root, "export", str(root)).code == 1
    assert not (root / "ran").exists()


def test_secrets_and_control_characters_are_not_shown(site: MakeSite) -> None:
    root = site(before('\'printf "%s \\033[31mred\\n" "$DEPLOY_TOKEN"\''))
    run = run_command(root, "export", str(root), env={"DEPLOY_TOKEN": "hunter2-hunter2"})
    assert run.code == 0
    assert run.stderr.splitlines()[0] == "$DEPLOY_TOKEN \\x1b[31mred"


def test_what_is_left_in_the_background_ends_and_nothing_waits_for_it(site: MakeSite) -> None:
    root = site(before("'sleep 600 & echo $! > child'"))
    assert run_command(root, "export", str(root), timeout=60).code == 0
    assert gone(int((root / "child").read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_export_ends_them(number: signal.Signals, site: MakeSite) -> None:
    root = site(before("'echo $$ > child; sleep 600'"))
    command = [sys.executable, "-m", "pybuild", "export", str(root)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
        while not (root / "child").is_file() or not (root / "child").read_text():
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(30) == 130
    assert gone(int((root / "child").read_text()))
    assert not (root / "out").exists()


def test_children_of_dev_run_side_by_side_and_end_with_it(site: MakeSite) -> None:
    commands = ["echo $$ > one; sleep 600", "echo $$ > two; sleep 600", "echo seen; exit 4"]
    root = site({**PAGE, "pybuild.toml": f"{SETTINGS}[dev]\nrun = {commands}\n".replace("'", '"')})
    config, findings = load_config(root)
    assert findings == ()
    lines: list[str] = []
    last = 'the command "echo seen; exit 4" has ended with exit code 4'
    with running(config, lines.append):
        while last not in lines or not all(
            (root / name).exists() and (root / name).read_text() for name in ("one", "two")
        ):
            time.sleep(0.02)
        pids = [int((root / name).read_text()) for name in ("one", "two")]
        assert lines == ["seen", last]
    assert all(gone(pid) for pid in pids)
