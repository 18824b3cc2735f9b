"""Other people's build steps: the commands of `[build] before` and `[dev] run`.

Owns how they run: in the folder of the site, by the shell, without input, each in a process group of its own that
ends with pybuild. Knows no page. Their output is passed on line by line.
Source of truth: docs/build-steps.md; POSIX.1-2017, "sh".
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

from pybuild.config.loader import Config, locate_text
from pybuild.diagnostics import Diagnostic

Show = Callable[[str], None]  # takes a line of output
_LONGEST_LINE = 1 << 16  # bytes
_END_SECONDS = 5.0


def run_before(config: Config, show: Show) -> tuple[Diagnostic, ...]:
    """Run the commands of `[build] before`, one after the other, up to the first that fails: `config-error` there."""
    for command in config.settings.build.before:
        with _started(config, command) as process:
            code = _wait(process, show)
        if code:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            location = locate_text(config, ("build", "before"), command)
            hint = "correct the command, or what it runs; its output is above"
            return (Diagnostic("config-error", f'the command "{command}" ended with {how}', location, hint),)
    return ()


@contextlib.contextmanager
def running(config: Config, show: Show) -> Iterator[None]:
    """Run the commands of `[dev] run` side by side. They end when the context does; one that ends earlier is shown."""
    with contextlib.ExitStack() as stack:
        for command in config.settings.dev.run:
            process = stack.enter_context(_started(config, command))
            threading.Thread(target=_follow, args=(command, process, show), daemon=True).start()
        yield


def _follow(command: str, process: subprocess.Popen[bytes], show: Show) -> None:
    code = _wait(process, show)
    show(f'the command "{command}" has ended with exit code {code}')


def _wait(process: subprocess.Popen[bytes], show: Show) -> int:
    """Pass on what a command prints until it ends, and end what it left in the background; its exit code."""
    reader = threading.Thread(target=_pass_on, args=(process, show), daemon=True)
    reader.start()
    code = process.wait()
    _signal(process, signal.SIGTERM)
    reader.join(_END_SECONDS)
    return code


def _pass_on(process: subprocess.Popen[bytes], show: Show) -> None:
    output = process.stdout
    assert output is not None, "it is a pipe"
    for line in iter(lambda: output.readline(_LONGEST_LINE), b""):
        show(line.decode("utf-8", "replace").rstrip("\r\n"))


@contextlib.contextmanager
def _started(config: Config, command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command as a process group of its own: with Ctrl-C, SIGTERM or a fault all of it is ended."""
    process: subprocess.Popen[bytes] | None = None
    try:
        with _uninterrupted():  # else a process could run that nobody knows
            process = subprocess.Popen(
                ("/bin/sh", "-c", command),
                cwd=config.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        yield process
    finally:
        if process is not None and process.poll() is None:
            _signal(process, signal.SIGTERM)
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off SIGINT and SIGTERM until the end of the context; only the main thread can be interrupted by them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[int] = []
    usual = {
        n: signal.signal(n, lambda number, _: late.append(number)) for n in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for interrupt, handler in usual.items():
            signal.signal(interrupt, handler)
        if late:
            signal.raise_signal(late[0])


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
