"""Each template that docs/look.md names can be replaced, is used by some page, and sees what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from harness import Files, Run

from pybuild.files import shipped_templates

DOCS = (Path(__file__).parents[2] / "docs/look.md").read_text("utf-8")
SETTINGS = """[site]
url = "https://example.com"
title = "Anvil"
[theme]
logo = "/anvil.svg"
accent = "#a8281f"
links = [{ label = "Notes to the project", url = "/notes" }]
footer = "Made by *hand*."
edit = "https://git.example/edit/{file}"
css = ["/extra.css"]
code = { light = "friendly", dark = "nord" }
[languages]
default = "en"
[languages.de]
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
[collections.notes]
source = "content/notes"
route = "/notes/[slug]"
list = true
per_page = 1
tags = "/notes/tags/[tag]"
authors = "/notes/authors/[author]"
[collections.own]
source = "content/own"
route = "/own/[slug]"
"""
NOTE = "---\ndate: 2025-01-02\ntags: [one]\nauthor: Jo\n---\n# Note\n\n## A\n\nText.\n\n## B\n\nText.\n"
SITE = {
    "pybuild.toml": SETTINGS,
    "content/docs/index.md": "# Docs\n",
    "content/docs/guides/deep/a.md": "# A\n",
    "content/notes/index.md": "# Notes\n\nWhat we noted.\n",
    "content/notes/a.md": NOTE,
    "content/notes/b.md": NOTE,
    "content/own/a.md": NOTE,
    "app/own/layout.html": "<html><head>{{ head }}</head><body>{{ children }}</body></html>",
    "public/anvil.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>',
    "public/extra.css": "a { color: red }",
}


def described() -> dict[str, list[str]]:
    """What the table says that each template sees besides."""
    table = re.findall(r"(?m)^\| `default/([\w-]+\.html)` \| .* \| (.*) \|$", DOCS)
    return {
        name: [
            word
            for part in seen.split(";")
            for word in re.findall(r"`(\w+)`", re.split(r":| with ", part)[0])
        ]
        for name, seen in table
    }


def replaced(name: str, names: list[str]) -> str:
    """The template, with a comment behind it that says which of the names it sees."""
    text = (shipped_templates() / "default" / name).read_text("utf-8")
    seen = " ".join(f"{{{{ {word!r} if {word} is defined }}}}" for word in names)
    return f"{text}<!-- of {name}: {seen} -->"


def test_every_template_is_used_and_sees_what_is_said(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    known = described()
    templates = {f"templates/default/{name}": replaced(name, names) for name, names in known.items()}
    run = export(site({**SITE, **templates}))
    assert (run.code, run.findings) == (0, [])
    pages = "".join(run.text(path) for path in run.files if path.endswith(".html"))
    said: dict[str, set[str]] = {}
    for name, words in re.findall(r"<!-- of ([\w-]+\.html): (.*?) -->", pages):
        said.setdefault(name, set()).update(words.split())
    assert said == {name: set(names) for name, names in known.items()}


def test_components_that_are_built_in_can_be_replaced(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    folder = shipped_templates() / "components"
    own = {
        f"templates/components/{file.name}": f"[{file.name}]{file.read_text('utf-8')}"
        for file in folder.iterdir()
    }
    page = (
        "# Page\n\n::: details Why?\nBecause.\n:::\n\n::: steps\n1. Take.\n:::\n\n::: cards\n- One\n:::\n\n"
        "::: tabs\n== pip\nRun pip.\n\n== uv\nRun uv.\n:::\n"
    )
    run = export(site({"app/page.md": page, **own}))
    assert (run.code, run.findings) == (0, [])
    written = {".html": run.text("index.html"), ".md": run.text("index.md")}
    assert [file.name for file in folder.iterdir() if f"[{file.name}]" not in written[file.suffix]] == []


def test_settings_of_the_theme_are_seen(site: Callable[[Files], Path], export: Callable[..., Run]) -> None:
    run = export(site(SITE))
    html = run.text("docs/guides/deep/a.html")
    for shown in (
        '<img src="/anvil.svg" alt="" height="28"',
        '<li><a href="/notes">Notes to the project</a></li>',
        "<p>Made by <em>hand</em>.</p>",
        '<a href="https://git.example/edit/content/docs/guides/deep/a.md">',
        '<link rel="stylesheet" href="/extra.css">',
        "data-pb-toggle",
    ):
        assert shown in html, shown
    (style,) = re.findall(r'href="/(assets/pybuild/look\.[^"]+\.css)"', html)
    assert "--pb-accent-set:#a8281f" in run.text(style) and "#81a1c1" in run.text(style)
    without = export(
        site({**SITE, "pybuild.toml": SETTINGS.replace("[theme]", "[theme]\ntoggle = false")}, "other")
    )
    assert "data-pb-toggle" not in without.text("docs/guides/deep/a.html")
