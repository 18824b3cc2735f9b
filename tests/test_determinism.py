"""One input, one output: whatever runs it, wherever, whenever, in whatever order the disk names files.

Source: reproducible-builds.org, "Variations in the build environment".
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from harness import SAMPLE_TIME, copy_sample, run_command

TARGET = ("--target", "nginx")
REVERSED = """
    import os
    _listdir, _scandir = os.listdir, os.scandir

    class Reversed:
        def __init__(self, path):
            with _scandir(path) as entries:
                self.entries = iter(sorted(entries, key=lambda e: e.name)[::-1])
        def __iter__(self): return self.entries
        def __next__(self): return next(self.entries)
        def __enter__(self): return self
        def __exit__(self, *about): pass
        def close(self): pass

    os.listdir = lambda path=".": sorted(_listdir(path))[::-1]
    os.scandir = lambda path=".": Reversed(path)
"""
ENVIRONMENTS: Mapping[str, Mapping[str, str | None]] = {
    "east of everyone": {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    "west of everyone": {"PYTHONHASHSEED": "4242", "TZ": "Etc/GMT+12", "LC_ALL": "C", "LANG": "C"},
    "nobody": {"HOME": "/nonexistent", "USER": "nobody", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "a terminal": {"FORCE_COLOR": "1", "COLUMNS": "40", "TERM": "xterm"},
    "CI": {"CI": "true", "GITHUB_ACTIONS": "true"},
}
ENGINES = {
    "serial": ("--engine", "serial"),
    "one worker": ("--jobs", "1"),
    "two workers": ("--jobs", "2", "--verbose"),
    "four workers": ("--jobs", "4", "--no-cache"),
}
TOGETHER = [  # what does not change the output alone does not change it with others; all of it in a few exports
    ("serial", "east of everyone", 0o077),
    ("one worker", "west of everyone", 0o000),
    ("two workers", "nobody", 0o077),
    ("four workers", "a terminal", 0o000),
    ("serial", "CI", 0o022),
]

Tree = dict[str, tuple[int, bytes]]


def _tree(root: Path) -> Tree:
    """Every file of the output and beside it: mode and bytes."""
    folders = (root / "out", root / "out-deploy")
    files = [file for folder in folders for file in folder.rglob("*")]
    assert len(files) > 100
    return {
        str(f.relative_to(root)): (f.stat().st_mode, f.read_bytes() if f.is_file() else b"") for f in files
    }


def _export(
    root: Path, *options: str, env: Mapping[str, str | None] | None = None, umask: int = 0o022
) -> Tree:
    run = run_command(
        root, "export", str(root), *TARGET, *options, env={**SAMPLE_TIME, **(env or {})}, umask=umask
    )
    assert run.code == 0, run.stderr
    return _tree(root)


def _assert_equal(one: Tree, other: Tree) -> None:
    assert one.keys() == other.keys()
    assert [path for path in one if one[path] != other[path]] == []


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return _export(copy_sample(tmp_path_factory.mktemp("expected") / "site"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "site")


@pytest.mark.parametrize(("engine", "environment", "umask"), TOGETHER)
def test_who_exports(engine: str, environment: str, umask: int, root: Path, expected: Tree) -> None:
    """Any engine, in any environment, with any rights of what is written."""
    _assert_equal(_export(root, *ENGINES[engine], env=ENVIRONMENTS[environment], umask=umask), expected)


def test_the_sources_on_disk(tmp_path: Path, expected: Tree) -> None:
    """Another path, modes, times, the order in which files were made, and that in which the disk lists them."""
    source, root = (
        copy_sample(tmp_path / "source"),
        tmp_path / "a place with spaces" / "größer & [slug]" / "s",
    )
    for number, file in enumerate(sorted((f for f in source.rglob("*") if f.is_file()), reverse=True)):
        copy = root / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copy.chmod(0o600 if number % 2 else 0o755)
        os.utime(copy, (number * 86400, number * 86400))
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(REVERSED), "utf-8")
    _assert_equal(_export(root, env={"PYTHONPATH": str(tmp_path)}), expected)


def test_over_an_earlier_export(root: Path, expected: Tree) -> None:
    page = root / "app/page.html"
    before = page.read_text("utf-8")
    page.write_text(before + "<p>Later gone.</p>", "utf-8")
    (root / "app/gone").mkdir()
    (root / "app/gone/page.md").write_text("# Gone\n", "utf-8")
    assert _export(root) != expected
    page.write_text(before, "utf-8")
    shutil.rmtree(root / "app/gone")
    _assert_equal(_export(root), expected)


@pytest.mark.parametrize("moment", ["2027-01-01 00:00:01", "2036-02-29 23:59:59"])
def test_clock(moment: str, root: Path, expected: Tree) -> None:
    """Without SOURCE_DATE_EPOCH, on two days after the last post."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        assert not os.environ.get("CI"), "faketime is not installed"
        pytest.skip("faketime is not installed")
    clock = {"LD_PRELOAD": str(found[0]), "FAKETIME": f"@{moment}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    _assert_equal(_export(root, env={**clock, "SOURCE_DATE_EPOCH": None}), expected)
