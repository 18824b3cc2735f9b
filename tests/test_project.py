"""What surrounds the package: version, fragments of the changelog, pages for contributors, templates, workflows."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from pybuild import __version__

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FORMS = sorted((ROOT / ".github").rglob("*.yml"))


def test_every_test_is_collected(request: pytest.FixtureRequest) -> None:
    passed_over = request.config.getini("norecursedirs")
    files = [file.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("test_*.py")]
    lost = [file for file in files if any(fnmatch(part, p) for part in file.parts[:-1] for p in passed_over)]
    assert len(files) > 100 and lost == []


def test_a_long_run_has_every_file_that_is_longer_then() -> None:
    files = [file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")]
    switch = re.compile(r"^from harness import .*\bLONG\b|environ.*PYBUILD_LONG", re.M)
    files.remove("tests/test_project.py")
    longer = [file for file in files if switch.search((ROOT / file).read_text("utf-8"))]
    named = re.findall(r'^    "(tests/.*)",$', (ROOT / "tests/run.py").read_text("utf-8"), re.M)
    assert [file for file in longer if not file.startswith(tuple(named))] == []


def test_one_place_has_the_version(installed: Path) -> None:
    assert PROJECT["project"]["dynamic"] == ["version"] and "version" not in PROJECT["project"]
    (information,) = installed.glob("*.dist-info")
    assert information.name == f"pybuild_export-{__version__}.dist-info"
    assert f"\nVersion: {__version__}\n" in (information / "METADATA").read_text("utf-8")


def test_the_site_of_the_documentation_has_the_address_of_the_project() -> None:
    site = tomllib.loads((ROOT / "website/pybuild.toml").read_text("utf-8"))["site"]
    assert PROJECT["project"]["urls"]["Documentation"].rstrip("/") == site["url"]


@pytest.mark.parametrize("file", sorted((ROOT / "changelog.d").iterdir()), ids=lambda file: file.name)
def test_a_fragment_has_one_to_three_lines(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert file.suffix == ".md" and 1 <= len(lines) <= 3 and all(line.strip() for line in lines)
    assert not lines[0].startswith(("#", "*", "-"))


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    assert [link for link in links if link and "://" not in link and not (ROOT / link).exists()] == []


def test_the_files_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(r"`((?:pybuild|tests|docs)/[\w./-]*)`", text)
    assert (
        len(paths) > 10
        and [path for path in paths if "NAME" not in path and not (ROOT / path).exists()] == []
    )


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.name)
def test_a_workflow_or_form_is_yaml(file: Path) -> None:
    read = yaml.safe_load(file.read_text("utf-8"))
    assert isinstance(read, dict) and ("jobs" in read or "body" in read or file.name == "config.yml")


def test_workflows_run_sessions_that_there_are() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    asked = {name for line in re.findall(r"nox --session ([\w ]+)", workflow) for name in line.split()}
    sessions = re.findall(r"(?m)^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text("utf-8"))
    assert asked <= set(sessions)


def test_the_tests_run_on_every_python_that_is_promised() -> None:
    promised = [
        c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)
    ]
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised
