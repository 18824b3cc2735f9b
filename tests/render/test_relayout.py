"""A page of which only layouts changed is what it would be from nothing, with all that is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from incremental import assert_same_as_clean, put, run, write_site

from pybuild.render import page as rendering

SITE = {
    "pybuild.toml": """
[site]
url = "https://example.com/base"
title = "Test"
[build]
git_dates = false
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
""",
    "app/layout.html": "<!doctype html><html><head>{{ head }}</head><body><main>{{ children }}</main></body></html>",
    "app/docs/layout.html": '<article><img src="{{ asset("/inner.png") }}">{{ children }}</article>',
    "content/docs/index.md": "# Docs\n\n## Same\n\n[a](a.md) <b>raw</b>\n",
    "content/docs/a.md": "---\ntitle: A\n---\nFirst.\n\n## Second\n\n[b](b.md#two) [x](x.txt) [on](#second) [up](/docs)\n",
    "content/docs/b.md": '# B [a](a.md)\n\nText `id="x"` and <!-- a comment -->\n\n## Two\n\n![](pic.png)\n\n[m](#m)\n',
    "content/docs/c.md": "---\ndate: 2020-01-01\n---\n# C\n\n[n](/nowhere) [m](/docs/c#m) <https://a.example/>\n",
    "content/docs/pic.png": "no picture",
    "content/docs/x.txt": "x",
    "public/inner.png": "i",
    "public/rim.png": "o",
    "public/logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"></svg>',
}
OUTER, INNER = "app/layout.html", "app/docs/layout.html"
CHANGES = {
    "text": (OUTER, '<main id="m">', "<main>"),
    "an id of a heading": (OUTER, '<i id="second"></i>', "<main>"),
    "a broken link": (OUTER, '<a href="/base/gone">gone</a>', "<main>"),
    "a link of a page": (OUTER, '<a href="/nowhere">n</a><a href="/docs/a">a</a>', "<main>"),
    "a link within the page": (OUTER, '<a href="#two">two</a><a href="#none">none</a>', "<main>"),
    "a file": (OUTER, '<img src="{{ asset("/rim.png") }}">', "<main>"),
    "a picture": (OUTER, '<img src="/base/logo.svg">', "<main>"),
    "the title": (OUTER, "<b>{{ page.title }} {{ page.description }} {{ page.date | date }} {{ page.path }}</b>", "<main>"),
    "the contents": (OUTER, "{% for h in page.toc %}{{ h.text }}{% endfor %}{{ document.excerpt }}", "<main>"),
    "the document": (OUTER, "{{ document.html }}", "<main>"),
    "no head": (OUTER, "", "{{ head }}"),
    "another head": (OUTER, "{{ head | upper }}", "{{ head }}"),
    "other children": (OUTER, "{{ children | replace('e', 'E') }}", "{{ children }}"),
    "children twice": (OUTER, "{{ children }}<hr>{{ children }}", "{{ children }}"),
    "a comment around them": (OUTER, "<!-- {{ children }} -->", "{{ children }}"),
    "none": (OUTER, "", "{{ children }}"),
    "a table": (OUTER, "<table><tr><td>{{ children }}</td></tr></table>", "{{ children }}"),
    "the inner one": (INNER, '<article id="inner"><a href="/base/gone">gone</a>', "<article>"),
    "all documents": (OUTER, "{% for d in collections.docs %}{{ d.title }}{% endfor %}", "<main>"),
    "what is around": (OUTER, "{{ page.prev.title }}{{ page.next.title }}", "<main>"),
    "a template that is not there": (OUTER, '{% include "none.html" %}', "<main>"),
    "a fault": (OUTER, "{{ nothing.at.all }}", "<main>"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_layout_changes_and_changes_back(name: str, tmp_path: Path) -> None:
    root, (path, new, old) = tmp_path / "site", CHANGES[name]
    write_site(root, SITE)
    run(root)
    put(root, path, SITE[path].replace(old, new))
    assert_same_as_clean(root, tmp_path / "work")
    put(root, OUTER, SITE[OUTER].replace("<main>", "<main><p>both</p>"))
    assert_same_as_clean(root, tmp_path / "work")
    write_site(root, SITE)
    assert_same_as_clean(root, tmp_path / "work")


def test_what_stands_inside_is_not_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with pictures or HTML of its own is; of the others the text that was published is taken."""
    write_site(tmp_path, SITE)
    run(tmp_path)
    rendered: list[str] = []
    real = rendering.summarise
    monkeypatch.setattr(rendering, "summarise", lambda *given: rendered.append(given[1].url) or real(*given))
    put(tmp_path, OUTER, SITE[OUTER].replace("<main>", '<main id="m">'))
    run(tmp_path, engine="serial")
    assert "/docs/a" not in rendered
    rendered.clear()
    put(tmp_path, INNER, SITE[INNER].replace("<article>", '<article id="x">'))
    run(tmp_path, engine="serial")
    assert "/docs/a" not in rendered


@pytest.mark.parametrize("file", ["out/docs/a.html", "out/docs/a.md"])
def test_what_was_published_is_not_there_any_more(file: str, tmp_path: Path) -> None:
    root = tmp_path / "site"
    write_site(root, SITE)
    run(root)
    put(root, file, "defaced")
    put(root, OUTER, SITE[OUTER].replace("<main>", '<main id="m">'))
    assert_same_as_clean(root, tmp_path / "work")
