"""Phases of one process and of many make the same pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import SETTINGS, Files, Run

MENU = "from pybuild import collection\n\nCALLS = []\nMENU = [doc.url for doc in collection('docs')]\n"
PAGE = """from lib.menu import CALLS, MENU


def generate_static_params():
    CALLS.append(1)
    return [{"slug": "a"}]


def load(ctx):
    return {"menu": MENU, "calls": len(CALLS)}
"""
FILES = {
    "pybuild.toml": f'trailing_slash = true\n{SETTINGS}[collections.docs]\nsource = "docs"\nroute = "/docs/[slug]"\n',
    "docs/one.md": "# One\n",
    "lib/menu.py": MENU,
    "app/[slug]/page.py": PAGE,
    "app/[slug]/page.html": "{{ menu|join }} {{ calls }}",
    "app/layout.html": "<!doctype html>\n<main>{{ children }}</main>\n",
}


def test_what_a_phase_imported_is_not_seen_by_the_next(
    site: Callable[[Files, str], Path], export: Callable[..., Run]
) -> None:
    runs = [export(site(FILES, engine), "--engine", engine) for engine in ("serial", "processes")]
    assert [run.text("a/index.html") for run in runs] == ["<!doctype html>\n<main>/docs/one/ 0</main>"] * 2
    assert runs[0].tree() == runs[1].tree()


def test_a_job_that_changes_the_folder_changes_it_for_itself(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    head = 'import os\n\nfrom pybuild import PlainTextResponse\n\ndynamic = "force-static"\n\n\n'
    files = {
        "app/a/route.py": head + "def GET():\n    os.chdir('/')\n    return PlainTextResponse(os.getcwd())\n",
        "app/b/route.py": head + "def GET():\n    return PlainTextResponse(os.path.basename(os.getcwd()))\n",
    }
    run = export(site(files), "--engine", "serial")
    assert (run.text("a"), run.text("b")) == ("/", "site")
