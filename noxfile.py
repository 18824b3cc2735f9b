"""Checks by name: `nox -s lint types tests`; `nox -s servers` wants `python3 tests/install_servers.py` before it."""

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
    session.run("pytest", "-n", "auto", *session.posargs)


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
