"""A process that has loaded pybuild and forks for each command, so that a command costs no imports.

Each command still runs in a process of its own, from `main()` to its exit code. It has exported a site before it
forks, so that no command compiles our own templates, either. Tests that start a process themselves pay for both.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

LOADED = (
    "pybuild.cli.main",
    "pybuild.cli.export",
    "pybuild.cli.inspect",
    "pybuild.build.export",
    "pybuild.site_files.feeds",
    "pybuild.site_files.llms",
    "pybuild.site_files.robots",
    "pybuild.site_files.search",
    "pybuild.site_files.sitemap",
    "feedgen.feed",
    "starlette.responses",
)
SITE = {
    "pybuild.toml": '[site]\nurl = "https://example.com"\ntitle = "Test"\n'
    '[collections.docs]\nsource = "content"\nroute = "/docs/[...slug]"\nlist = true\n',
    "app/page.md": "# Home\n\n```python\nprint(1)\n```\n",
    "content/index.md": "# Docs\n\n::: note\nText.\n:::\n",
    "content/a/b.md": "---\ndate: 2026-01-01\n---\n\n# B\n\n[Docs](../index.md)\n",
    "public/a.txt": "a",
}


class Zygote:
    """Runs commands one at a time; `run` returns None where it is busy or cannot serve."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, request: Mapping[str, Any], timeout: float) -> int | None:
        """Run `pybuild` as `_become` says, with its output in two files; the exit code, negative for a signal."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            process = self._started()
            self._write(process, request)
            pid = int(_line(process.stdout))
            alarm = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
            alarm.start()
            code = int(_line(process.stdout))
            alarm.cancel()
            return code
        finally:
            self._lock.release()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._process

    @staticmethod
    def _write(process: subprocess.Popen[str], request: Mapping[str, Any]) -> None:
        assert process.stdin, "the process was started with a pipe"
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()


def _line(stream: IO[str] | None) -> str:
    assert stream, "the process was started with a pipe"
    return stream.readline()


def _become(request: Mapping[str, Any]) -> None:
    """Be the command: its folder, environment, streams, arguments and the rights of what it writes."""
    os.umask(request["umask"])
    for number, file in enumerate(request["files"], 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = ["pybuild", *request["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


@functools.cache
def load() -> None:
    """Load what every command loads, and do once what it does the same for every site."""
    for name in LOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        for path, text in SITE.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_text(text, "utf-8")
        loader, paths, here = sys.modules["pybuild.config.loader"], sys.path.copy(), Path.cwd()
        config, _ = loader.load_config(Path(folder), loader.Options(engine="serial"))
        observer = sys.modules["pybuild.build.pipeline"].Observer()
        done = sys.modules["pybuild.build.export"].export(config, observer)
        sys.path[:] = paths
        os.chdir(here)
        assert done.ok, done.findings
    assert threading.active_count() == 1, "a fork has no other thread"
    gc.collect()
    gc.freeze()  # forks share what is here


def main() -> None:
    load()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            answers.close()
            _become(json.loads(line))
            sys.modules["pybuild.cli.main"].main()
            return
        answers.write(f"{pid}\n")
        answers.flush()
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        answers.flush()


if __name__ == "__main__":
    main()
