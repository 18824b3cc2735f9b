"""The real command, run in a process of its own, and what it said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zygote import Command, Zygote

_ZYGOTE = Zygote()
CLUSTER_ZYGOTE = Zygote("distributed.cli.dask_scheduler", "distributed.cli.dask_worker")
LONG = os.environ.get("PYBUILD_LONG") == "1"  # all that tests generate, in place of a part
SETTINGS = '[site]\nurl = "https://example.com"\ntitle = "Test"\n'
Files = Mapping[str, str | bytes]
Process = Command | subprocess.Popen[str]
SAMPLE = Path(__file__).resolve().parents[2] / "sample_site"
SAMPLE_TIME = {"SOURCE_DATE_EPOCH": "1798761600"}  # 2027: none of its posts is in the future


@dataclass(frozen=True)
class Run:
    """What a command did."""

    code: int
    stdout: str
    stderr: str
    root: Path
    summary: Mapping[str, Any] = field(default_factory=dict)  # of --format json

    @property
    def out(self) -> Path:
        return Path(self.summary.get("out") or self.root / "out")

    @property
    def findings(self) -> list[str]:
        """Each finding as `file:line: severity[code]`; the loss of rules on plain files is left out."""
        return [_short(d) for d in self.summary["diagnostics"] if d["code"] != "rules-lost"]

    @property
    def messages(self) -> list[str]:
        return [d["message"] for d in self.summary["diagnostics"] if d["code"] != "rules-lost"]

    @property
    def files(self) -> list[str]:
        """Every file of the output, sorted."""
        return sorted(p.relative_to(self.out).as_posix() for p in self.out.rglob("*") if p.is_file())

    def text(self, path: str) -> str:
        return (self.out / path).read_text("utf-8")

    def tree(self) -> dict[str, bytes]:
        return {path: (self.out / path).read_bytes() for path in self.files}


def _short(finding: Mapping[str, Any]) -> str:
    place = ":".join(str(finding[k]) for k in ("file", "line") if finding[k] not in (None, ""))
    return (
        f"{place}: {finding['severity']}[{finding['code']}]"
        if place
        else f"{finding['severity']}[{finding['code']}]"
    )


def copy_sample(folder: Path) -> Path:
    """Copy the sources of the sample site to a folder that is made."""
    left_out = shutil.ignore_patterns("out", "out-deploy", ".pybuild", "__pycache__")
    return Path(shutil.copytree(SAMPLE, folder, ignore=left_out))


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's environment at a fixed time and outside any CI; None takes a variable away."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PYBUILD_")) and k != "CI"}
    merged = {**clean, "SOURCE_DATE_EPOCH": "1767225600", **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def run_command(
    root: Path, *arguments: str, env: Mapping[str, str | None] | None = None, **options: Any
) -> Run:
    """Run `pybuild` in a process; with `--format json` among the arguments the summary is read."""
    timeout = options.pop("timeout", 120)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+") as err:
        process = start_command(*arguments, env=environment(env), stdout=out, stderr=err, **options)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        said, complaint = (file.seek(0) or file.read() for file in (out, err))
    summary = json.loads(said) if "json" in arguments and said.startswith("{") else {}
    return Run(code, said, complaint, root, summary)


def start_command(*arguments: str, env: Mapping[str, str], **options: Any) -> Process:
    """Start `pybuild` in a fork of a process that has loaded it: what it says is in pipes, or in files that are given.

    Where the interpreter itself is to be set up, it is started anew.
    """
    if options.keys() <= {"cwd", "umask", "stdout", "stderr", "is_session"} and not any(
        name.startswith(("PYTHON", "LD_", "MALLOC", "LANG", "LC_", "TZ")) and os.environ.get(name) != value
        for name, value in env.items()
    ):
        return (CLUSTER_ZYGOTE if "--cluster" in arguments else _ZYGOTE).start(arguments, env, **options)
    command, pipes = [sys.executable, "-m", "pybuild", *arguments], {"stdout": -1, "stderr": -1}
    return subprocess.Popen(command, text=True, env=env, **(pipes | options))


def open_up(*folders: Path) -> None:
    """Let a server that gives up its rights read what lies in a private folder of the tests."""
    for folder in folders:
        for parent in (folder, *folder.parents):
            if "pytest" in str(parent):
                parent.chmod(parent.stat().st_mode | 0o055)
