"""Checks by name: `nox -s lint types tests`; `nox -s servers` wants `python3 tests/install_servers.py` before it."""

import re
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
PYPROJECT = nox.project.load_toml("pyproject.toml")
TEST = nox.project.dependency_groups(PYPROJECT, "test")


def install(session: nox.Session) -> None:
    session.install("-e", ".", *TEST)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(*(word for word in TEST if word.startswith("ruff")))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    install(session)
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; those of servers that are not installed are skipped."""
    install(session)
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session
def servers(session: nox.Session) -> None:
    """The tests of real servers; one that is missing is a failure."""
    install(session)
    session.run("pytest", "tests/hosts", "tests/serve", *session.posargs, env={"CI": "true"})


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and run the command it installs."""
    session.install("build")
    folder = session.create_tmp()
    session.run("python", "-m", "build", "--outdir", folder, ".")
    session.run("sh", "-c", f"python -m pip install --force-reinstall {folder}/*.whl", external=True)
    session.run("pybuild", "--version")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as a site, made by pybuild: website/out."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, "docs"))
    session.run("python", "website/prepare.py")
    session.run("pybuild", "export", "website", "--strict", *session.posargs)


@nox.session(venv_backend="none")
def changelog(session: nox.Session) -> None:
    """Move the fragments of changelog.d below a heading of the version: `nox --session changelog -- 2027-01-31`."""
    (date,) = session.posargs
    version = re.search(r'__version__ = "(.+)"', Path("pybuild/__init__.py").read_text("utf-8"))[1]
    fragments = sorted(Path("changelog.d").glob("*.md"))
    lines = "".join(f"* {' '.join(file.read_text('utf-8').split())}\n" for file in fragments)
    page = Path("CHANGELOG.md")
    mark = "<!-- releases -->\n"
    page.write_text(
        page.read_text("utf-8").replace(mark, f"{mark}\n## {version} ({date})\n\n{lines}"), "utf-8"
    )
    for file in fragments:
        file.unlink()
