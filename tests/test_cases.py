"""Case folders: `tests/cases/<rule>/site` in, findings and files out.

`expected.txt` holds what people are told; `expected/` the files of the output that the case is about, and
`files.txt`, where it stands, every path of the output. `command.txt` replaces `export`.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from harness import Run, run_command

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("case", sorted(p.name for p in CASES.iterdir() if (p / "site").is_dir()))
def test_case(case: str, tmp_path: Path, update_goldens: bool) -> None:
    folder, root = CASES / case, tmp_path / "site"
    shutil.copytree(folder / "site", root, symlinks=True)
    run = _run(folder, root)
    if update_goldens:
        _update(folder, run)
    assert _told(run) == (folder / "expected.txt").read_text("utf-8")
    for file in sorted(p for p in (folder / "expected").rglob("*") if p.is_file()):
        path = file.relative_to(folder / "expected")
        assert _bare((root / "out" / path).read_bytes()) == file.read_bytes(), path
    if (folder / "files.txt").is_file():
        assert _paths(run) == (folder / "files.txt").read_text("utf-8")


def _bare(content: bytes) -> bytes:
    """Without the digests in the names of the files of the look, which change with each of them."""
    return re.sub(rb"(assets/pybuild/[\w-]+)\.[0-9a-f]{10}\.", rb"\1.HASH.", content)


def _paths(run: Run) -> str:
    return "".join(sorted(_bare(f"{path}\n".encode()).decode() for path in run.files))


def _run(folder: Path, root: Path) -> Run:
    command = folder / "command.txt"
    words = shlex.split(command.read_text("utf-8")) if command.is_file() else ["export"]
    return run_command(root, words[0], str(root), *words[1:])


def _told(run: Run) -> str:
    """The exit code and the findings, without the one that every export for plain files has."""
    lines = run.stderr.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if "[rules-lost]" in line), None)
    if start is not None:
        del lines[start : start + 2]
    return f"exit {run.code}\n" + "".join(lines).replace(str(run.root), "<site>")


def _update(folder: Path, run: Run) -> None:
    (folder / "expected.txt").write_text(_told(run), "utf-8")
    for file in [p for p in (folder / "expected").rglob("*") if p.is_file()]:
        file.write_bytes(_bare((run.root / "out" / file.relative_to(folder / "expected")).read_bytes()))
    if (folder / "files.txt").is_file():
        (folder / "files.txt").write_text(_paths(run), "utf-8")
