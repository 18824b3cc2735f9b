"""The parts of a key: this changes, so this part differs, and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from incremental import change, drop, put, rename, write_site

from pybuild.cache.fingerprint import LATE, digest_of, take
from pybuild.cache.keys import PARTS, Key, Keys
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.plan import Plan, make_plan
from pybuild.routing.segments import Pattern
from pybuild.source.document import read_front
from pybuild.source.site import discover

HANDLER = "from pybuild import JSONResponse\ndynamic = 'force-static'\n{}\ndef GET():\n    return JSONResponse([])\n"
SITE = {
    "pybuild.toml": '[site]\nurl = "https://example.com"\ntitle = "Test"\n[build]\ngit_dates = false\n'
    '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n',
    "app/layout.html": '<head>{{ head }}</head>{% include "nav.html" %}{{ children }}',
    "templates/nav.html": '<a href="{{ url_for("/about") }}">{% if has_page("/later") %}x{% endif %}</a>',
    "templates/unused.html": "nobody",
    "app/about/page.md": "# About\n",
    "app/list/page.html": "{% for d in collections.docs %}{{ d.title }}{% endfor %}",
    "app/texts/page.html": "{% for d in collections.docs %}{{ d.html }}{% endfor %}",
    "app/docs/[...slug]/page.html": "{{ document.html }}",
    "content/docs/a.md": "---\ntitle: A\n---\nText.\n",
    "content/docs/b.md": "# B\n",
    "content/docs/pic.png": "picture",
    "public/x.txt": "x",
    "lib/data.py": "numbers = [1]\n",
    "data/n.json": "[1]",
    "data/other.json": "[2]",
    "app/narrow/route.py": HANDLER.format("inputs = ['data/n.json']"),
    "app/kept/route.py": HANDLER.format("revalidate = False"),
    "app/nothing/route.py": HANDLER.format("inputs = []"),
    "app/free/route.py": HANDLER.format(""),
}
Edit = Callable[[Path], object]


def keys_of(root: Path) -> dict[str, Key | None]:
    """The keys of all jobs of a site, by URL."""
    keys, plan = open_keys(root)
    return {job.url: keys.key(job) for job in plan.jobs}


def open_keys(root: Path) -> tuple[Keys, Plan]:
    config, findings = load_config(root, Options())
    assert findings == ()
    site, tree, findings = discover(config, read_front)
    assert findings == ()
    plan, findings = make_plan(site, {}, tree.around(Pattern()))
    assert findings == () and plan is not None
    return Keys(site, plan, take(config, LATE), lambda path: digest_of(root / path)), plan


def differing(before: Key | None, after: Key | None) -> str:
    """The names of the parts that differ."""
    assert before is not None and after is not None
    pairs = zip(PARTS, before.parts, after.parts, strict=True)
    return ", ".join(name for name, old, new in pairs if old != new)


def edit(file: str, old: str, new: str) -> Edit:
    return lambda root: change(root, file, old, new)


def make(file: str, text: str = "new") -> Edit:
    return lambda root: put(root, file, text)


def remove(file: str) -> Edit:
    return lambda root: drop(root, file)


A = "content/docs/a.md"
BOTH = "document, navigation"  # whatever its layout: the built-in one may stand in

TABLE: list[tuple[str, str, Edit, str]] = [
    ("/docs/a", "its text", edit(A, "Text", "Other"), "document"),
    ("/docs/a", "its title", edit(A, "title: A", "title: B"), BOTH),
    ("/docs/a", "its date", edit(A, "title: A", "title: A\ndate: 2024-01-01"), "document, address"),  # a feed shows it
    ("/docs/a", "its tags", edit(A, "title: A", "title: A\ntags: [x]"), BOTH),
    ("/docs/b", "the text of another", edit(A, "Text", "Other"), ""),
    ("/docs/b", "the title of another", edit(A, "title: A", "title: B"), "navigation"),
    ("/docs/a", "its template", edit("app/docs/[...slug]/page.html", "{{", "<p>{{"), "templates"),
    ("/docs/a", "the layout", edit("app/layout.html", "<head>", "<head><base>"), "templates"),
    ("/docs/a", "a layout of its own", make("app/docs/layout.html", "{{ head }}{{ children }}"), "address, templates, links"),
    ("/docs/a", "an included template", edit("templates/nav.html", "</a>", "!</a>"), "templates"),
    ("/docs/a", "a template of nobody", make("templates/unused.html"), ""),
    ("/docs/a", "a new template of nobody", make("templates/new.html"), "links"),
    ("/docs/a", "an address templates ask for", make("app/later/page.md", "# L\n"), "templates, links"),
    ("/docs/a", "an address they do not ask for", make("app/else/page.md", "# E\n"), "links"),
    ("/docs/a", "a file beside it", remove("content/docs/pic.png"), "links"),
    ("/docs/a", "the bytes of a file beside it", make("content/docs/pic.png"), ""),
    ("/docs/a", "a public file", make("public/y.txt"), "links"),
    ("/docs/a", "a public file in place of its variant", make("public/docs/a.md"), "address, links"),
    ("/docs/a", "an icon", make("app/icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"), "address, links"),
    ("/docs/a", "Python", edit("lib/data.py", "1", "2"), ""),
    ("/list", "the text of a document", edit(A, "Text", "Other"), ""),
    ("/list", "the title of a document", edit(A, "title: A", "title: B"), "other documents"),
    ("/list", "the name of a document", lambda r: rename(r, A, "content/docs/c.md"), "other documents, navigation, links"),
    ("/list", "data", make("data/n.json"), ""),
    ("/texts", "the text of a document", edit(A, "Text", "Other"), "other documents"),
    ("/texts", "data", make("data/n.json"), "other documents"),
    ("/narrow", "its input", make("data/n.json"), "code"),
    ("/narrow", "no input of it", make("data/other.json"), ""),
    ("/narrow", "Python", edit("lib/data.py", "1", "2"), "code"),
    ("/narrow", "its own code", edit("app/narrow/route.py", "[])", "[1])"), "code"),
    ("/narrow", "a document", edit(A, "Text", "Other"), ""),
    ("/kept", "any file", make("data/other.json"), "code"),
    ("/kept", "the text of a document", edit(A, "Text", "Other"), "code"),
    ("/nothing", "data", make("data/n.json"), ""),
    ("/nothing", "Python", edit("lib/data.py", "1", "2"), "code"),
    ("/nothing", "Python that is new", make("lib/new.py", "x = 1\n"), "code, links"),
]  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Key | None]:
    root = tmp_path_factory.mktemp("site")
    write_site(root, SITE)
    return keys_of(root)


@pytest.mark.parametrize(("url", "what", "change", "parts"), TABLE, ids=[f"{r[0]}: {r[1]}" for r in TABLE])
def test_what_changes_which_part(
    before: dict[str, Key | None], url: str, what: str, change: Edit, parts: str, tmp_path: Path
) -> None:
    write_site(tmp_path, SITE)
    change(tmp_path)
    assert differing(before[url], keys_of(tmp_path)[url]) == parts, what


def test_code_that_says_nothing_has_no_key(before: dict[str, Key | None]) -> None:
    assert before["/free"] is None


def test_only_pages_of_documents_without_code_follow_their_links(before: dict[str, Key | None]) -> None:
    following = {url for url, key in before.items() if key and key.follows_links}
    assert {"/docs/a", "/docs/b", "/about"} <= following
    assert following.isdisjoint({"/list", "/narrow", "/kept"})


def test_keys_do_not_depend_on_the_folder_or_the_moment(
    before: dict[str, Key | None], tmp_path: Path
) -> None:
    write_site(tmp_path / "elsewhere", dict(reversed(SITE.items())))
    assert keys_of(tmp_path / "elsewhere") == before


NAVIGATION = [
    ("the title of a document", edit(A, "title: A", "title: B")),
    ("the order of documents", edit(A, "title: A", "title: A\norder: 9")),
    ("the name of a document", lambda root: rename(root, A, "content/docs/c.md")),
    ("a new document", make("content/docs/more/c.md", "# C\n")),
    ("a document less", remove("content/docs/b.md")),
    ("a page at the address of a folder", make("app/docs/page.md", "# Docs\n")),
    ("an icon of the header", make("public/favicon.ico")),
]


@pytest.mark.parametrize("change", [edit for _, edit in NAVIGATION], ids=[name for name, _ in NAVIGATION])
def test_navigation_is_taken_over_only_where_nothing_shown_has_changed(change: Edit, tmp_path: Path) -> None:
    write_site(tmp_path, SITE)
    shown = open_keys(tmp_path)[0].shown_by_all
    change(tmp_path)
    assert open_keys(tmp_path)[0].shown_by_all != shown


@pytest.mark.parametrize("change", [row[2] for row in TABLE], ids=[f"{r[0]}: {r[1]}" for r in TABLE])
def test_a_key_with_parts_taken_over_is_the_same(change: Edit, tmp_path: Path) -> None:
    write_site(tmp_path, SITE)
    known, shown = keys_of(tmp_path), open_keys(tmp_path)[0].shown_by_all
    change(tmp_path)
    keys, plan = open_keys(tmp_path)
    for job in plan.jobs if keys.shown_by_all == shown else ():
        before = known.get(job.url)
        assert keys.key(job, before.parts if before else ()) == keys.key(job)
