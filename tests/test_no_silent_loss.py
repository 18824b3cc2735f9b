"""Every route file yields output or a finding that names it: no form of a file may vanish without a word."""

from __future__ import annotations

from collections import ChainMap
from pathlib import Path

import pytest
from harness import LONG, SETTINGS
from previewing import published

from pybuild.build.export import export
from pybuild.build.runs import Observer
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic

STATIC = 'from pybuild import PlainTextResponse\n\ndynamic = "force-static"\n\n\n'
PARAMS = "def generate_static_params():\n    return [PARAMS]\n\n\n"
FOLDERS = {  # a kind of segment, and an entry of params for it
    "plain": "{}",
    "(group)/inner": "{}",
    "%5Funder": "{}",
    "[slug]": '{"slug": "é 1"}',
    "[...rest]": '{"rest": ["a", "b"]}',
    "[[...maybe]]": "{}",
    "x-[id].json": '{"id": "5"}',
    "[lang]/[page]": '{"lang": "en", "page": "p"}',
}
HANDLERS = {
    "def": "def GET():\n    return PlainTextResponse('x')\n",
    "async": "async def GET(request, ctx):\n    return PlainTextResponse('x')\n",
    "lambda": "GET = lambda: PlainTextResponse('x')\n",
    "import-as": "from lib.shared import answer as GET\n",
    "star": "from lib.shared import *\n",
    "star-elsewhere": "from os.path import *\n",
    "star-and-get": "from os.path import *\n\n\ndef GET():\n    return PlainTextResponse('x')\n",
    "globals": "globals()['GET'] = lambda: PlainTextResponse('x')\n",
    "hidden-post": "def GET():\n    return PlainTextResponse('x')\n\n\nglobals()['PO' + 'ST'] = GET\n",
    "post": "def GET():\n    return PlainTextResponse('x')\n\n\ndef POST():\n    return PlainTextResponse('x')\n",
    "post-only": "def POST():\n    return PlainTextResponse('x')\n",
    "options-if": "def GET():\n    return PlainTextResponse('x')\n\n\nif True:\n    OPTIONS = GET\n",
    "nothing": "",
    "lower-case": "def get():\n    return PlainTextResponse('x')\n",
    "none": "GET = None\n",
    "not-callable": "GET = PlainTextResponse('x').body\n",
    "status-500": "def GET():\n    return PlainTextResponse('x', 500)\n",
    "status-404": "def GET():\n    return PlainTextResponse('x', 404)\n",
    "no-content": "def GET():\n    return PlainTextResponse('', 204)\n",
    "not-found": "def GET():\n    from pybuild import not_found\n\n    not_found()\n",
    "redirect": "def GET():\n    from pybuild import redirect\n\n    redirect('/')\n",
    "returns-none": "def GET():\n    pass\n",
    "raises": "def GET():\n    raise ValueError\n",
    "exits": "def GET():\n    raise SystemExit(0)\n",
    "leaves": "def GET():\n    import os\n\n    os._exit(0)\n",
    "import-exits": "raise SystemExit(0)\n",
    "import-leaves": "import os\n\nos._exit(0)\n",
    "revalidate-0": "revalidate = 0\n\n\ndef GET():\n    return PlainTextResponse('x')\n",
    "edge": "runtime = 'edge'\n\n\ndef GET():\n    return PlainTextResponse('x')\n",
    "syntax": "def GET(:\n",
}
PAGES: dict[str, dict[str, str]] = {
    "markdown": {"page.md": "# X\n"},
    "html": {"page.html": "<p>x</p>\n"},
    "python": {"page.py": "def load(ctx):\n    return {}\n"},
    "python-and-html": {"page.py": "def load(ctx):\n    return {'a': 1}\n", "page.html": "{{ a }}\n"},
    "all": {"page.py": "def load(ctx):\n    return {'a': 1}\n", "page.html": "{{ a }}\n", "page.md": "# X\n"},
    "redirect": {
        "page.py": "from pybuild import redirect\n\n\ndef load(ctx):\n    redirect('/')\n",
        "page.html": "x",
    },
    "not-found": {
        "page.py": "from pybuild import not_found\n\n\ndef load(ctx):\n    not_found()\n",
        "page.html": "x",
    },
    "empty": {"page.html": ""},
    "no-load": {"page.py": "x = 1\n"},
    "star": {"page.py": "from os.path import *\n"},
    "star-load": {"page.py": "from lib.shared import *\n", "page.html": "x\n"},
    "hidden-load": {"page.py": "globals()['lo' + 'ad'] = lambda: {'a': 1}\n", "page.html": "{{ a }}\n"},
    "handler-too": {
        "page.md": "# X\n",
        "route.py": STATIC + "def GET():\n    return PlainTextResponse('x')\n",
    },
    "misspelt": {"pages.md": "# X\n"},
    "other-suffix": {"page.txt": "x"},
}
SHARED = "from pybuild import PlainTextResponse\n\n\ndef answer():\n    return PlainTextResponse('x')\n\n\nGET = answer\n\n\ndef load(ctx):\n    return {}\n"
Routes = list[tuple[str, dict[str, str]]]  # a folder, and its files


def make(root: Path, routes: Routes) -> list[set[str]]:
    """Write a site with these routes, each in a folder of its own; returns the files of each."""
    everything = {
        "pybuild.toml": SETTINGS,
        "app/page.md": "# Home\n",
        "lib/__init__.py": "",
        "lib/shared.py": SHARED,
    }
    own = [
        {f"app/in-{number}/{folder}/{name}": text for name, text in files.items()}
        for number, (folder, files) in enumerate(routes)
    ]
    for name, text in {**everything, **dict(ChainMap(*own))}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return list(map(set, own))


def run(root: Path) -> tuple[set[str], tuple[Diagnostic, ...]]:
    """Export in this process: the origins of published files and redirects, and the findings."""
    config, findings = load_config(root, Options(cache=False, jobs=1))
    done = export(config, Observer())
    if not done.ok:
        return set(), (*findings, *done.findings)
    site = published(root)
    redirects = {rule.location.file for rule in site.rules.redirects}
    return redirects | {file.origin for file in site.files.values()}, (*findings, *done.findings)


def lost(root: Path, routes: Routes) -> Routes:
    """The routes of which no file is the origin of output, and that no finding names by a file or its folder."""
    every = make(root, routes)
    origins, findings = run(root)
    assert bool(origins) is not any(finding.is_error for finding in findings)
    named = {finding.location.file for finding in findings} - {""}
    return [
        route
        for route, own in zip(routes, every, strict=True)
        if not own & origins
        and not any(file == place or file.startswith(f"{place}/") for file in own for place in named)
    ]


def held(root: Path, routes: Routes) -> None:
    """No route is lost where it is alone. Those of one site are tried together first, as that is quicker.

    An error of one holds back what others would say: those that said nothing are tried together again without it.
    """
    rest, before = routes, 0
    while rest and not LONG and len(rest) != before:
        before = len(rest)
        rest = lost(root / f"together-{before}", rest)
    vanished = [one for number, one in enumerate(rest) if lost(root / str(number), [one])]
    assert vanished == []


def handlers(name: str) -> Routes:
    """The form of a handler in every kind of folder."""
    sources = {
        folder: PARAMS.replace("PARAMS", text) if "[" in folder else "" for folder, text in FOLDERS.items()
    }
    return [(folder, {"route.py": STATIC + source + HANDLERS[name]}) for folder, source in sources.items()]


def pages(name: str) -> Routes:
    """The form of a page in every kind of folder."""
    layouts = {
        folder: {"layout.py": PARAMS.replace("PARAMS", text)} if "[" in folder else {}
        for folder, text in FOLDERS.items()
    }
    return [(folder, {**PAGES[name], **layout}) for folder, layout in layouts.items()]


EVERY = {**{name: handlers(name) for name in HANDLERS}, **{f"page: {name}": pages(name) for name in PAGES}}


@pytest.mark.parametrize("form", EVERY if LONG else ["of every form"])
def test_a_file(form: str, tmp_path: Path) -> None:
    held(tmp_path, EVERY[form] if LONG else [route for routes in EVERY.values() for route in routes])


@pytest.mark.parametrize("form", ["def", "star-elsewhere", "star-and-get", "globals"])
def test_params_that_nobody_gives(form: str, tmp_path: Path) -> None:
    handler = {"route.py": STATIC + HANDLERS[form]}
    held(tmp_path, [(folder, handler) for folder in FOLDERS if "[" in folder])


def test_params_that_no_page_gives(tmp_path: Path) -> None:
    page = {"page.py": "from os.path import *\n", "page.html": "x"}
    held(tmp_path, [(folder, page) for folder in FOLDERS if "[" in folder])
