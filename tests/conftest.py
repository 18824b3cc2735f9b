"""Sites for tests: made of a mapping of files, exported by the real command in a process of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import SETTINGS, Files, Run, run_command

ROOT = Path(__file__).parent.parent
# Containers often set this, and then each of the hundreds of processes of the suite compiles all of pybuild.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
MEMORY = Path("/dev/shm")
# Each export syncs its disk, and waits for what other tests write: folders of tests are in memory, where there is room.
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture
def site(tmp_path: Path) -> Callable[[Files], Path]:
    """Write a site: paths to texts or bytes. Settings with an address and a title are added where there are none."""

    def make(files: Files, folder: str = "site") -> Path:
        root = tmp_path / folder
        for path, content in {"pybuild.toml": SETTINGS, **files}.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return make


@pytest.fixture
def export() -> Callable[..., Run]:
    """Export a site with the real command: `export(root, "--strict", env={…})`."""

    def run(root: Path, *arguments: str, **options: Any) -> Run:
        return run_command(root, "export", str(root), "--format", "json", *arguments, **options)

    return run


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, as pip lays them out. It is made once, also for several test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (packages := folder / "site-packages").exists():
            words = [
                "wheel",
                "--quiet",
                "--no-deps",
                "--no-build-isolation",
                "--wheel-dir",
                str(folder),
                str(ROOT),
            ]
            subprocess.run([sys.executable, "-m", "pip", *words], check=True, stderr=subprocess.DEVNULL)
            (wheel,) = folder.glob("pybuild_export-*.whl")
            zipfile.ZipFile(wheel).extractall(packages)
    return packages


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write what was seen over what was expected"
    )


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-goldens"))


def pytest_runtest_setup() -> None:
    """Begin each test in one folder, with signals as a shell has them: processes inherit what a test before left.

    An export in this process stays in the folder of its site, which is removed with its test.
    """
    os.chdir(ROOT)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        and threading.current_thread() is threading.main_thread()
    ):
        signal.signal(signal.SIGINT, signal.default_int_handler)
