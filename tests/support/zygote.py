"""A process that has loaded pybuild and forks for each command, so that a command costs no imports.

Each command still runs in a process of its own, from `main()` to its exit code. It has exported a site before it
forks, so that no command compiles our own templates, either. Tests that start a process themselves pay for both.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NoReturn

_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT

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


class Command:
    """A command that runs, as `subprocess.Popen` shows one: its output is in pipes, or in files of the caller."""

    def __init__(self, pid: int, status: IO[str], stdout: IO[str] | None, stderr: IO[str] | None) -> None:
        self.pid, self.stdout, self.stderr, self.returncode = pid, stdout, stderr, None
        self._status = status  # its end is the end of the command
        self._said: list[Future[str]] = []

    returncode: int | None

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["pybuild"], timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What is left of the output."""
        if not self._said:
            pool = ThreadPoolExecutor(2)
            self._said = [pool.submit(pipe.read if pipe else str) for pipe in (self.stdout, self.stderr)]
            pool.shutdown(wait=False)
        self.wait(timeout)
        out, err = (reading.result(timeout) for reading in self._said)
        return out, err

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode


class Zygote:
    """Starts commands, each in a fork of one process; that has loaded what others of them need, too."""

    def __init__(self, *loaded: str) -> None:
        self._loaded = loaded
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line = socket.socket()

    def start(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        *,
        program: str = "pybuild.cli.main",
        cwd: Path | None = None,
        umask: int = 0o022,
        is_session: bool = False,
        stdout: IO[Any] | None = None,
        stderr: IO[Any] | None = None,
    ) -> Command:
        """Run the `main` of a module with arguments; what it says goes to files, or to pipes where none is given."""
        ended, end = os.pipe()
        pipes = [None if file else os.pipe() for file in (stdout, stderr)]
        ends = [
            file.fileno() if file else pipe[1] if pipe else -1
            for file, pipe in zip((stdout, stderr), pipes, strict=True)
        ]
        request = {
            "program": program,
            "arguments": arguments,
            "env": env,
            "cwd": str(cwd or Path.cwd()),
            "umask": umask,
            "is_session": is_session,
        }
        with self._lock:
            socket.send_fds(self._started(), [json.dumps(request).encode()], [*ends, end])
        for number in (*(pipe[1] for pipe in pipes if pipe), end):
            os.close(number)
        status = os.fdopen(ended)
        pid = int(status.readline())
        return Command(pid, status, *(pipe and os.fdopen(pipe[0], encoding="utf-8") for pipe in pipes))

    def _started(self) -> socket.socket:
        if self._process is None or self._process.poll() is not None:
            self._line.close()
            self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            number = theirs.fileno()
            words = [sys.executable, __file__, str(number), *self._loaded]
            self._process = subprocess.Popen(words, pass_fds=[number])
            theirs.close()
        return self._line


def _become(request: Mapping[str, Any], streams: Sequence[int], end: int) -> None:
    """Be the command, and say its process id.

    Its are the session, folder, environment, streams, arguments, signals and the rights of what it writes.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), *streams)):
        os.dup2(stream, number)
    if request["is_session"]:
        os.setsid()
    _say(end, os.getpid())
    os.closerange(3, 1024)
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None  # which is read of the environment
    os.chdir(request["cwd"])
    sys.argv = ["pybuild", *request["arguments"]]
    if "dask.config" in sys.modules:
        sys.modules["dask.config"].refresh()  # of the environment


def _run_and_leave(program: str) -> NoReturn:
    """Run a program, and leave as the interpreter does, but for the freeing of all that it has loaded."""
    try:
        sys.exit(importlib.import_module(program).main())
    except SystemExit as left:
        if threading.active_count() > 1 or not isinstance(left.code, int | None):
            raise
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(left.code or 0)


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


def main(line: socket.socket, loaded: Sequence[str]) -> None:
    """Start each command that the line asks for, and say its end to who asked."""
    for name in loaded:
        importlib.import_module(name)
    load()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, int] = {}  # process ids, and where their end is to be said
    while True:
        ready, _, _ = select.select([line, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            for pid in [pid for pid in running if os.waitid(os.P_PID, pid, _ENDED)]:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                _say(running[pid], code)
                os.close(running.pop(pid))
        if line in ready:
            text, descriptors, _, _ = socket.recv_fds(line, 1 << 20, 3)
            if not text:
                return
            *streams, end = descriptors
            pid = os.fork()
            if pid == 0:
                line.detach()
                _become(request := json.loads(text), streams, end)
                _run_and_leave(request["program"])
            running[pid] = end
            for stream in streams:
                os.close(stream)


def _say(end: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # who asked is gone
        os.write(end, b"%d\n" % number)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
