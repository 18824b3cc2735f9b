"""The sample site, exported by an installed wheel, is the one the checkout makes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from harness import SAMPLE_TIME, copy_sample, environment

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, as pip lays them out."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, stderr=subprocess.DEVNULL)
    (wheel,) = folder.glob("pybuild_export-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site-packages")
    return folder / "site-packages"


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
    shipped = {p.relative_to(installed).as_posix() for p in installed.rglob("*") if p.is_file()}
    wanted = {"pybuild/py.typed", "pybuild/templates/default/layout.html", "pybuild/rules/negotiate.js"}
    assert wanted <= shipped
    assert not [
        path for path in shipped if path.startswith(("tests/", "sample_site/")) or "__pycache__" in path
    ]
