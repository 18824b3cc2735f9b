"""Running a real web server on a finished export.

Owns the process: its private folder, its start, its end. Knows no engine but by the table, and no rule.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pybuild.diagnostics import Diagnostic
from pybuild.hosts import Compiled
from pybuild.publish.publication import Publication
from pybuild.records import Artifact
from pybuild.serve.server import plain_files
from pybuild.serve.web_servers import ENGINES, Engine, Setup

_FOLDERS = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/sbin"))
_START_SECONDS = 30.0  # Varnish compiles its rules first, which a busy machine needs as many for
_END_SECONDS = 5.0


class NotInstalled(Exception):
    """The engine asked for cannot be run here; its text says what to do."""


def find_program(name: str) -> str:
    """The file of an engine's program. Raises `NotInstalled`."""
    engine = ENGINES.get(name)
    if engine is None:
        raise NotInstalled(f'there is no engine "{name}"; choose one of {", ".join(ENGINES)}')
    found = (shutil.which(one) or shutil.which(one, path=_FOLDERS) for one in engine.programs)
    program = next(filter(None, found), None)
    if program is None:
        raise NotInstalled(
            f"{engine.title} is not installed; on Debian, run apt-get install {engine.package}"
        )
    return program


@contextlib.contextmanager
def running(
    name: str, publication: Publication, compiled: Compiled, place: tuple[str, int]
) -> Iterator[subprocess.Popen[bytes] | Diagnostic]:
    """Run an engine with the files of its target at (host, port); it answers when this is entered.

    Gives the finding `engine-error` where it does not. Raises `NotInstalled`.
    """
    program, engine = find_program(name), ENGINES[name]
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="pybuild-", ignore_cleanup_errors=True)
        home = Path(stack.enter_context(folder))
        home.chmod(0o755)  # a server that gives up its rights still reads its files
        setup = Setup(
            program=program,
            home=home,
            root=publication.output.out,
            host=place[0],
            port=place[1],
            base=publication.rules.base,
            is_root=os.geteuid() == 0,
            origin="" if engine.has_files else f"127.0.0.1:{stack.enter_context(plain_files(publication))}",
            secrets={name: os.environ.get(name, "") for name in publication.rules.env_names},
        )
        write_files(engine, setup, (*compiled.site, *compiled.deploy))
        environment = {**os.environ, **engine.environment(setup)}
        with (home / "output.log").open("wb") as log:
            process = subprocess.Popen(
                engine.command(setup), stdout=log, stderr=log, env=environment, start_new_session=True
            )
        stack.callback(_end, process)
        yield process if _answers(process, place) else _failed(engine, home)


def write_files(engine: Engine, setup: Setup, artifacts: Iterable[Artifact]) -> None:
    """Write the target's files and the engine's own beside them; secrets are for this user alone."""
    for artifact in artifacts:
        (setup.home / artifact.path).parent.mkdir(parents=True, exist_ok=True)
        (setup.home / artifact.path).write_bytes(artifact.body)
    for name, text in engine.files(setup).items():
        (setup.home / name).touch(0o600)
        (setup.home / name).write_text(text, "utf-8")


def _answers(process: subprocess.Popen[bytes], place: tuple[str, int]) -> bool:
    """Wait until the engine takes connections; False where it ends or takes too long."""
    for _ in range(int(_START_SECONDS / 0.05)):
        if process.poll() is not None:
            return False
        with socket.socket() as probe:
            if probe.connect_ex(place) == 0:
                return process.poll() is None
        time.sleep(0.05)
    return False


def _failed(engine: Engine, home: Path) -> Diagnostic:
    logs = [home / name for name in ("output.log", "error.log")]
    lines = [line for log in logs if log.is_file() for line in log.read_text("utf-8", "replace").splitlines()]
    said = "; ".join(line for line in lines[-3:] if line.strip()) or "it said nothing"
    return Diagnostic(
        "engine-error",
        f"{engine.title} did not start: {said}",
        hint="mend what it names, or preview without --with",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def wait_for(process: subprocess.Popen[bytes], ready: Callable[[], None]) -> int:
    """Call `ready`, then wait until the engine ends or the user interrupts; its exit code, 0 where interrupted."""
    try:
        ready()
        return process.wait()
    except KeyboardInterrupt:
        return 0
