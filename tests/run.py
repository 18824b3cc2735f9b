"""Install what the tests need and run them all: linters, types, tests.

Works from a fresh clone with Python 3.11+ and its venv module. Servers are installed by `install_servers.py` where
this is root on a Debian; elsewhere the tests that need a missing one are skipped by name. With CI set, a missing
one is a failure.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import tomllib
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import install_servers

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")
LONG = (
    "tests/cache/test_index.py",
    "tests/cluster",
    "tests/faults",
    "tests/fetching/test_incremental_fetch.py",
    "tests/hosts",
    "tests/look/test_axe.py",
    "tests/publish/test_crash.py",
    "tests/routing/test_module_facts.py",
    "tests/serve/test_table.py",
    "tests/source/test_front_matter.py",
    "tests/verify/test_command.py",
    "tests/dev/test_bytes.py",
    "tests/test_incremental.py",
    "tests/test_no_silent_loss.py",
)  # what `harness.LONG` changes


def install_python() -> None:
    if not (BIN / "python").exists():
        venv.create(BIN.parent, with_pip=True)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    wanted = [word for word in groups["test"] if isinstance(word, str)]
    pip = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install_servers.call(*pip, "-e", ".", *wanted)


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
    with ThreadPoolExecutor() as pool:  # one waits for the network while the other unpacks
        for done in [pool.submit(install_python), pool.submit(install_servers.main)]:
            done.result()
    workers = str(min(4, 2 + (os.cpu_count() or 1)))  # a third of a run is waiting, as for servers
    pytest = [
        BIN / "python",
        "-m",
        "pytest",
        "-n",
        workers,
        "--dist",
        "worksteal",
    ]  # neighbours share a server
    if "--long" in sys.argv:  # the tests that draw or kill, in full
        os.environ["PYBUILD_LONG"] = "1"
        return run(*pytest, *LONG, *[word for word in sys.argv[1:] if word != "--long"])
    codes = [run(BIN / "ruff", "check", "."), run(BIN / "ruff", "format", "--check", ".")]
    with tempfile.TemporaryFile("w+") as said:  # types are checked while tests wait
        types = subprocess.Popen([BIN / "mypy"], cwd=ROOT, stdout=said, stderr=said)
        codes += [run(*pytest, *sys.argv[1:]), types.wait()]
        said.seek(0)
        print("+", BIN / "mypy", said.read(), sep="\n", flush=True)
    return max(map(abs, codes))


def run(*words: str | Path) -> int:
    print("+", *words, flush=True)
    return subprocess.run([str(word) for word in words], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
