"""Fuzz every target with atheris: `python3 fuzz/run.py --seconds 60 [target …]`.

Installs atheris beside the test dependencies where it is missing. A finding is written to fuzz/found/<target>/
and ends the run with 1; give its bytes to the function of that name in fuzz/targets.py to see it again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parent / ".venv/bin/python"
sys.path[:0] = [str(HERE), str(HERE.parent)]


def install() -> None:
    """Run again in the environment of the tests, with atheris in it."""
    if not PYTHON.exists():
        sys.exit("run python3 tests/run.py first: it makes .venv")
    if subprocess.run([PYTHON, "-c", "import atheris"], capture_output=True, check=False).returncode:
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "atheris>=2.3"], check=True)


def fuzz(name: str, seconds: int, seed: int) -> int:
    """One target in a process of its own, which libFuzzer ends."""
    found = HERE / "found" / name
    with tempfile.TemporaryDirectory() as corpus:
        words = [PYTHON, __file__, "--drive", name, corpus, f"-max_total_time={seconds}", f"-seed={seed}"]
        options = [
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-max_len=600",
            "-print_final_stats=1",
            f"-artifact_prefix={found}/",
        ]
        found.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([*words, *options], capture_output=True, text=True, check=False)
    runs = next(
        (line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "?"
    )
    print(f"{name}: {runs} runs, {'nothing found' if done.returncode == 0 else 'FOUND:'}", flush=True)
    if done.returncode:
        print(done.stderr[-4000:], file=sys.stderr)
    elif not any(found.iterdir()):
        found.rmdir()
    return done.returncode


def drive(name: str, words: list[str]) -> None:
    """Be the process that is fuzzed."""
    import atheris

    with atheris.instrument_imports(include=["pybuild", "markdown_it", "mdit_py_plugins", "yaml"]):
        import targets
    for number, seed in enumerate(targets.SEEDS[name]):
        Path(words[0], f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *words], targets.TARGETS_OF_FUZZING[name])
    atheris.Fuzz()


def main() -> int:
    import importlib.util

    if sys.argv[1:2] == ["--drive"]:
        drive(sys.argv[2], sys.argv[3:])
        return 0
    install()
    if Path(sys.executable).resolve() != PYTHON.resolve() or importlib.util.find_spec("selectolax") is None:
        os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
    import targets

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("targets", nargs="*", default=list(targets.TARGETS_OF_FUZZING))
    given = parser.parse_args()
    return max(fuzz(name, given.seconds, given.seed) != 0 for name in given.targets)


if __name__ == "__main__":
    sys.exit(main())
