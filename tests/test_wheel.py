"""The sample site, exported by an installed wheel, is the one the checkout makes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from harness import SAMPLE_TIME, copy_sample, environment

ROOT = Path(__file__).parent.parent


def run(command: list[str], where: Path, packages: str) -> str:
    env = environment({**SAMPLE_TIME, "PYTHONPATH": packages})
    return subprocess.run(
        [sys.executable, *command], cwd=where, env=env, capture_output=True, text=True, check=True
    ).stdout


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_wheel_exports_the_sample_site(installed: Path, tmp_path: Path) -> None:
    where = run(["-c", "import pybuild; print(pybuild.__file__)"], tmp_path, str(installed))
    assert Path(where.strip()).is_relative_to(installed)
    trees = []
    for name, packages in (("wheel", str(installed)), ("checkout", str(ROOT))):
        site = copy_sample(tmp_path / name)
        told = run(
            ["-m", "pybuild", "export", str(site), "--target", "cloudflare", "--format", "json"],
            tmp_path,
            packages,
        )
        assert json.loads(told)["ok"]
        trees.append(tree(site / "out"))
    assert trees[0] == trees[1]
    assert len(trees[0]) > 100


def test_the_wheel_ships_what_it_reads(installed: Path) -> None:
    (wheel,) = installed.parent.glob("pybuild_export-*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"pybuild/py.typed", "pybuild/templates/default/layout.html", "pybuild/rules/negotiate.js"}
    wanted |= {f"pybuild/templates/starters/{name}/.gitignore" for name in ("docs", "blog", "api")}
    assert wanted <= shipped
    assert not [
        path for path in shipped if path.startswith(("tests/", "sample_site/")) or "__pycache__" in path
    ]
