"""A small site with everything, the edits an author may make to it, and exports of it with and without a cache."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zygote import load

from pybuild.build.export import export
from pybuild.build.runs import Observer
from pybuild.cache.up_to_date import up_to_date_result
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic, arrange, has_errors

load()  # workers are forks of this process
SETTINGS = """
[site]
url = "https://example.com/base"
title = "Test"
[build]
git_dates = false
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
[collections.posts]
source = "content/posts"
route = "/posts/[slug]"
[feed]
limit = 2
[[redirects]]
source = "/old"
destination = "/docs/a"
permanent = true
"""
PLAIN = {
    "pybuild.toml": SETTINGS,
    "app/layout.html": '<!doctype html><html><head>{{ head }}</head><body>{% include "nav.html" %}<main>{{ children }}</main></body></html>',
    "app/page.html": '{% from "macros.html" import card %}<h1>Home</h1>{% for post in collections.posts %}{{ card(post) }}{% endfor %}<a href="docs/b#b">b</a>',
    "app/about/page.md": "---\ntitle: About\n---\nSee [a](../../content/docs/a.md#second) and [gone](../../content/docs/gone.md).\n",
    "app/all/page.html": "<h1>All</h1>{% for d in collections.docs %}<p>{{ d.excerpt }}</p>{% endfor %}",
    "app/docs/[...slug]/page.html": "<h1>{{ document.title }}</h1>{{ document.html }}",
    "templates/nav.html": '<nav><a href="{{ url_for("/about") }}">About</a>{% if has_page("/docs/new") %}<a href="/base/docs/new">New</a>{% endif %}<a href="/base/docs/b">b</a></nav>',
    "templates/macros.html": '{% macro card(post) %}<p><a href="{{ post.url }}">{{ post.title }}</a></p>{% endmacro %}',
    "content/docs/index.md": "# Docs\n\n[a](a.md) [b](b.md) ![](pic.png) [x](x.txt)\n",
    "content/docs/a.md": "---\ntitle: A\n---\nFirst.\n\n## Second\n\n[b](b.md#b) [new](new.md) [up](/about)\n",
    "content/docs/b.md": "# B\n\nText `code`.\n\n```python\nprint(1)\n```\n\n[a](./a)\n",
    "content/docs/pic.png": "not really",
    "content/posts/one.md": "---\ntitle: One\ndate: 2024-01-01\n---\nOne [doc](../docs/a.md).\n",
    "content/posts/two.md": "---\ntitle: Two\ndate: 2024-02-02\ntags: [x]\n---\nTwo.\n",
    "content/posts/three.md": "---\ntitle: Three\ndate: 2024-03-03\n---\nThree.\n",
    "public/a.txt": "a",
}
CODE = {
    "lib/data.py": "import json\nfrom functools import cache\n\n@cache\ndef numbers():\n    with open('data/n.json') as f:\n        return json.load(f)\n",
    "data/n.json": "[1, 2]",
    "app/api/n/route.py": "from lib.data import numbers\nfrom pybuild import JSONResponse\ndynamic = 'force-static'\ndef GET():\n    return JSONResponse(numbers())\n",
    "app/bounded/route.py": "from lib.data import numbers\nfrom pybuild import JSONResponse\ndynamic = 'force-static'\nrevalidate = False\ndef GET():\n    return JSONResponse(numbers())\n",
    "app/narrow/route.py": "from lib.data import numbers\nfrom pybuild import JSONResponse\ndynamic = 'force-static'\ninputs = ['data/*.json']\ndef GET():\n    return JSONResponse(numbers())\n",
    "app/stats/page.py": "from lib.data import numbers\nfrom pybuild import collection\ndef load(ctx):\n    return {'n': numbers(), 'posts': [p.html for p in collection('posts')]}\n",
    "app/stats/page.html": "<h1>Stats</h1>{{ n }}{{ posts | join }}",
    "app/p/[id]/page.py": "from lib.data import numbers\ndef generate_static_params():\n    return [{'id': str(n)} for n in numbers()]\ndef load(ctx):\n    return {}\n",
    "app/p/[id]/page.html": "<h1>{{ params.id }}</h1>",
}
BOUNDED = {
    path: CODE[path] for path in ("lib/data.py", "data/n.json", "app/bounded/route.py", "app/narrow/route.py")
}
TITLES = "<h1>All</h1>{% for d in collections.docs %}<p>{{ d.title }}</p>{% endfor %}"
OWN = {"app/all/page.html": TITLES}  # no page shows texts of others
LOOK = {
    **OWN,
    "app/layout.html": "",
    "app/docs/[...slug]/page.html": "",
    "content/docs/more/c.md": "# C\n\nText.\n",
}


def write_site(root: Path, *groups: dict[str, str]) -> None:
    for group in groups:
        for path, text in group.items():
            put(root, path, text)
            if not text:
                drop(root, path)


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def drop(root: Path, path: str) -> None:
    (root / path).unlink(missing_ok=True)


def change(root: Path, path: str, old: str, new: str) -> None:
    if (root / path).is_file():
        put(root, path, (root / path).read_text("utf-8").replace(old, new))


def unseen(root: Path, path: str, text: str) -> None:
    """Change bytes, but neither the size nor the time that anyone can set."""
    file = root / path
    if file.is_file():
        before, old = file.stat(), file.read_text("utf-8")
        put(root, path, (text + old[len(text) :])[: len(old)])
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename(root: Path, path: str, other: str) -> None:
    if (root / path).is_file():
        (root / path).rename(root / other)


Edit = Callable[[Path], None]
EDITS: dict[str, Edit] = {
    "body": lambda r: change(r, "content/docs/b.md", "Text", "Changed text"),
    "back": lambda r: put(r, "content/docs/b.md", PLAIN["content/docs/b.md"]),
    "retitle": lambda r: change(r, "content/posts/one.md", "title: One", "title: Uno"),
    "heading": lambda r: change(r, "content/docs/b.md", "# B", "# Bee"),
    "anchor": lambda r: change(r, "content/docs/a.md", "## Second", "## Other"),
    "excerpt": lambda r: change(r, "content/docs/a.md", "First.", "Premier."),
    "longer": lambda r: more(r, "content/docs/a.md"),
    "longer index": lambda r: more(r, "content/docs/index.md"),
    "longer page": lambda r: more(r, "app/about/page.md"),
    "longer post": lambda r: more(r, "content/posts/two.md"),
    "dead link": lambda r: more(r, "content/docs/a.md", "[dead](dead.md)"),
    "unseen": lambda r: unseen(r, "content/docs/b.md", "# Z"),
    "new": lambda r: put(r, "content/docs/new.md", "# New\n\n[a](a.md)\n"),
    "not new": lambda r: drop(r, "content/docs/new.md"),
    "gone": lambda r: put(r, "content/docs/gone.md", "# Gone\n"),
    "delete a": lambda r: drop(r, "content/docs/a.md"),
    "a again": lambda r: put(r, "content/docs/a.md", PLAIN["content/docs/a.md"]),
    "rename": lambda r: rename(r, "content/docs/b.md", "content/docs/c.md"),
    "rename back": lambda r: rename(r, "content/docs/c.md", "content/docs/b.md"),
    "draft": lambda r: change(r, "content/posts/two.md", "tags:", "draft: true\ntags:"),
    "published": lambda r: put(r, "content/posts/two.md", PLAIN["content/posts/two.md"]),
    "future": lambda r: change(r, "content/posts/three.md", "2024-03-03", "2024-09-09"),
    "layout": lambda r: change(r, "app/layout.html", "<main>", '<main id="m"><a href="/base/nowhere">n</a>'),
    "layout back": lambda r: put(r, "app/layout.html", PLAIN["app/layout.html"]),
    "layout of docs": lambda r: put(r, "app/docs/layout.html", "<div>{{ children }}</div>"),
    "include": lambda r: change(r, "templates/nav.html", "About<", "About us<"),
    "macro": lambda r: change(r, "templates/macros.html", "<p>", "<p class=c>"),
    "shadowing": lambda r: put(r, "templates/default/document.html", "<h1>Mine</h1>{{ document.html }}"),
    "no shadowing": lambda r: drop(r, "templates/default/document.html"),
    "settings": lambda r: change(r, "pybuild.toml", 'title = "Test"', 'title = "Tested"'),
    "markdown": lambda r: change(r, "pybuild.toml", "[feed]", "[markdown]\nhighlight = false\n[feed]"),
    "slashes": lambda r: change(r, "pybuild.toml", "[site]", "trailing_slash = true\n[site]"),
    "feed": lambda r: change(r, "pybuild.toml", "limit = 2", "limit = 1"),
    "public": lambda r: put(r, "public/a.txt", "other"),
    "public page": lambda r: put(r, "public/docs/gone", "a file"),
    "variant": lambda r: put(r, "public/docs/b.md", "mine"),
    "image": lambda r: put(r, "content/docs/pic.png", "other"),
    "no image": lambda r: drop(r, "content/docs/pic.png"),
    "asset": lambda r: put(r, "content/docs/x.txt", "x"),
    "no asset": lambda r: drop(r, "content/docs/x.txt"),
    "page": lambda r: put(r, "app/extra/page.html", "<h1>Extra</h1><a href='../docs/b'>b</a>"),
    "broken": lambda r: put(r, "app/extra/page.html", "{{ nothing }}"),
    "no page": lambda r: drop(r, "app/extra/page.html"),
    "data": lambda r: change(r, "data/n.json", "[1, 2]", "[3, 4, 5]"),
    "lib": lambda r: change(r, "lib/data.py", "return json.load(f)", "return json.load(f)[::-1]"),
    "damage": lambda r: damage(r, 7),
    "cut": lambda r: cut(r),
    "older index": lambda r: older_index(r),
    "foreign index": lambda r: foreign_index(r),
    "directive": lambda r: put(r, "content/docs/b.md", "# B\n\n::: hint2 title=\"T\" to=\"/docs/a\"\nText `code`.\n:::\n"),
    "component": lambda r: put(r, "templates/components/hint2.html", "{% from 'macros.html' import card %}<b>{{ title }} {{ url_for(to) }}</b>{{ body }}"),
    "component of variants": lambda r: put(r, "templates/components/hint2.md", "**{{ title }}** {{ body }}"),
    "component changed": lambda r: put(r, "templates/components/hint2.html", "<i>{{ title }} {{ data.n }} {{ language }} {{ t('next') }}</i>{{ body }}"),
    "includes": lambda r: put(r, "content/docs/b.md", "# B\n\n::: include file=\"/snippets/one.md\"\n\n[a](a.md)\n"),
    "included": lambda r: put(r, "snippets/one.md", "One.\n\n::: include file=\"two.py\" lines=\"1-2\"\n"),
    "included in it": lambda r: put(r, "snippets/two.py", "a = 1\nb = 2\nc = 3\n"),
    "included changed": lambda r: change(r, "snippets/two.py", "b = 2", "b = 3"),
    "nearer": lambda r: put(r, "content/docs/snippets/one.md", "Nearer.\n"),
    "not nearer": lambda r: shutil.rmtree(r / "content/docs/snippets", ignore_errors=True),
    "includes no more": lambda r: put(r, "content/docs/b.md", PLAIN["content/docs/b.md"]),
    "no component": lambda r: drop(r, "templates/components/hint2.html"),
    "clock": lambda r: [os.utime(r / p, (1, 1)) for p in ("content/docs/b.md", "pybuild.toml") if (r / p).is_file()],
    "spare tree": lambda r: [shutil.rmtree(p, ignore_errors=True) for p in (r / ".pybuild").glob("outputs/*/spare/tree-*/docs")],
    "manifest": lambda r: [p.unlink() for p in (r / ".pybuild").glob("outputs/*/stamps")],
    "forget": lambda r: shutil.rmtree(r / ".pybuild/cache", ignore_errors=True),
    "touch output": lambda r: put(r, "out/docs/b.html", "mine") if (r / "out/docs/b.html").is_file() else None,
    "lose output": lambda r: shutil.rmtree(r / "out", ignore_errors=True),
    "nothing": lambda r: None,
}  # fmt: skip


def more(root: Path, path: str, text: str = "More, and [b](/docs/b).") -> None:
    """Add a paragraph to a document."""
    if (root / path).is_file():
        put(root, path, f"{(root / path).read_text('utf-8')}\n\n{text}\n")


def damage(root: Path, step: int) -> None:
    for file in sorted(filter(Path.is_file, (root / ".pybuild/cache").rglob("*"))):
        data = bytearray(file.read_bytes())
        for place in range(step, len(data), max(len(data) // 5, 1)):
            data[place] ^= 1
        file.write_bytes(data)


def older_index(root: Path) -> None:
    """Put an index of an earlier export back, and keep the one of now for the next time."""
    index, kept = root / ".pybuild/cache/index.sqlite", root / ".pybuild/older"
    if index.is_file():
        now = index.read_bytes()
        index.write_bytes(kept.read_bytes() if kept.is_file() else now)
        kept.write_bytes(now)


def foreign_index(root: Path) -> None:
    """A file of SQLite that others made."""
    index = root / ".pybuild/cache/index.sqlite"
    if index.parent.is_dir():
        index.unlink(missing_ok=True)
        with sqlite3.connect(index) as database:
            database.execute("CREATE TABLE rows (number, name, value, sum)")


def cut(root: Path) -> None:
    for file in sorted(filter(Path.is_file, (root / ".pybuild/cache").rglob("*"))):
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])


@dataclass(frozen=True)
class Result:
    """What came of an export, as an author sees it."""

    findings: tuple[Diagnostic, ...]
    files: dict[str, bytes]  # of the output and beside it
    counts: tuple[int, int]
    cached: int
    laps: tuple[str, ...] = ()  # phases that were gone through


def run(root: Path, **options: object) -> Result:
    """Export in this process, as the command does: from the record, else by all phases.

    Code of a site never runs here, but in workers.
    """
    options = {"engine": "processes" if any(root.rglob("*.py")) else "serial", **options}
    if "out" in options:
        options = {**options, "out": str(root / str(options["out"]))}
    config, findings = load_config(root, Options(jobs=1, allow_shrink=True, **options))  # type: ignore[arg-type]
    if has_errors(findings):
        return Result(arrange(findings), {}, (0, 0), 0)
    known, laps = up_to_date_result(config), list[str]()
    with contextlib.chdir(root):  # where the serial engine works, and which may be gone before the next run
        done = known or export(config, Observer(lap=laps.append))
    cached = known.pages if known else done.cached  # type: ignore[union-attr]
    folders = [folder for folder in (config.out, config.deploy) if folder.is_dir()]
    files = {
        file.relative_to(root).as_posix(): file.read_bytes()
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    return Result(arrange((*findings, *done.findings)), files, (done.pages, done.files), cached, tuple(laps))


def run_apart(root: Path, **options: object) -> Result:
    """Export in a fork of this process, where code of a site may run."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(pickle.dumps(run(root, **options)))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    result: Result = pickle.loads(answer)
    return result


def clean_copy(root: Path, folder: Path) -> Path:
    left_out = shutil.ignore_patterns("out*", ".pybuild", "__pycache__")
    return Path(shutil.copytree(root, folder, ignore=left_out))


def assert_same_as_clean(root: Path, work: Path, **options: object) -> Result:
    """Export with the cache, and a copy of the sources without, by the other engine; everything must be equal."""
    shutil.rmtree(work, ignore_errors=True)
    fresh_export = run_apart if any(root.rglob("*.py")) else run
    fresh = fresh_export(clean_copy(root, work), cache=False, engine="serial", **options)
    mine = run(root, **options)
    assert mine.findings == fresh.findings
    if not has_errors(mine.findings):
        assert {p for p in mine.files if mine.files[p] != fresh.files.get(p)} == set()
        assert mine.files.keys() == fresh.files.keys()
        assert mine.counts == fresh.counts
    return mine
