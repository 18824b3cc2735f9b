"""Pages in several languages: what is in the head of each, and what a site's own code sees of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Run

Site = Callable[..., Path]
Export = Callable[..., Run]
HEAD = '[site]\nurl = "https://example.com"\ntitle = "Site"\n'
DOCS = '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
LANGUAGES = '[languages]\ndefault = "en"\n[languages.de]\ntitle = "Seite"\n'
SETTINGS = f"{HEAD}{LANGUAGES}{DOCS}"
FILES = {
    "pybuild.toml": SETTINGS,
    "content/docs/a.md": "# A\n\n[b](b.md)\n",
    "content/docs/b.md": "# B\n",
    "content/docs/de/a.md": "# A deutsch\n\n[b](b.md)\n",
}


def alternates(html: str) -> dict[str, str]:
    return dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', html))


def test_translations_name_each_other(site: Site, export: Export) -> None:
    run = export(site(FILES))
    known = {
        "de": "https://example.com/de/docs/a",
        "en": "https://example.com/docs/a",
        "x-default": "https://example.com/docs/a",
    }
    assert (run.code, run.findings) == (0, [])
    assert alternates(run.text("docs/a.html")) == alternates(run.text("de/docs/a.html")) == known
    assert '<html lang="de">' in run.text("de/docs/a.html")
    assert '<a href="/de/docs/b">b</a>' in run.text("de/docs/a.html")


def test_a_page_that_is_not_translated(site: Site, export: Export) -> None:
    run = export(site(FILES), "--target", "nginx")
    html = run.text("de/docs/b.html")
    assert '<html lang="de">' in html and '<div lang="en" dir="ltr">' in html
    assert "Diese Seite ist noch nicht übersetzt." in html
    assert '<link rel="canonical" href="https://example.com/docs/b">' in html
    assert alternates(html) == alternates(run.text("docs/b.html")) == {}
    assert "https://example.com/docs/b.md" in html
    assert "de/docs/b.md" not in run.files
    named = ("sitemap.xml", "de/llms.txt", "de/llms-full.txt", "de/search.json", "de/rss.xml")
    assert [path for path in named if "/de/docs/b" in run.text(path)] == []


def test_without_a_fallback_it_is_not_there(site: Site, export: Export) -> None:
    settings = SETTINGS.replace('default = "en"', 'default = "en"\nfallback = false')
    run = export(site({**FILES, "pybuild.toml": settings, "content/docs/de/a.md": "# A deutsch\n"}))
    assert (run.code, run.findings) == (0, [])
    assert [path for path in run.files if path.startswith("de/docs/")] == ["de/docs/a.html", "de/docs/a.md"]
    assert '<a href="/de" hreflang="de" lang="de">' in run.text(
        "docs/b.html"
    )  # the home page, in place of this one


def test_without_a_fallback_links_lead_to_the_default_language(site: Site, export: Export) -> None:
    settings = SETTINGS.replace('default = "en"', 'default = "en"\nfallback = false') + "[languages.fr]\n"
    blog = '[collections.blog]\nsource = "content/blog"\nroute = "/blog/[slug]"\nlist = true\n'
    files = {**FILES, "pybuild.toml": settings + blog, "content/blog/p.md": "# P\n"}
    run = export(site(files))
    assert (run.code, run.findings) == (0, [])
    assert '<a href="/docs/b">b</a>' in run.text("de/docs/a.html")
    assert [path for path in run.files if path.startswith(("fr", "de/blog"))] == [
        "fr/llms-full.txt", "fr/llms.txt", "fr/rss.xml", "fr/search.json",
    ]  # fmt: skip
    assert "<link>https://example.com/</link>" in run.text("fr/rss.xml")


def test_what_code_sees(site: Site, export: Export) -> None:
    code = (
        "from pybuild import collection\n"
        "def load(ctx):\n"
        "    shown = {name: [d.title for d in collection('docs', language=name)] for name in ('en', 'de', '*')}\n"
        "    return {'here': [d.title for d in collection('docs')], 'shown': shown,\n"
        "            'stand_in': collection('docs').get('b').language, 'said': ctx.site.title}\n"
    )
    handler = (
        "from pybuild import JSONResponse, collection\n"
        "dynamic = 'force-static'\n"
        "def GET():\n"
        "    return JSONResponse([d.title for d in collection('docs')])\n"
    )
    template = "<p>{{ page.language }} {{ here }} {{ shown }} {{ stand_in }} {{ said }} {{ site.title }}</p>"
    pages = {"app/x/page.py": code, "app/x/page.html": template, "app/titles.json/route.py": handler}
    run = export(site({**FILES, **pages}))
    assert (run.code, run.findings) == (0, [])
    all_of = "{&#39;en&#39;: [&#39;A&#39;, &#39;B&#39;], &#39;de&#39;: [&#39;A deutsch&#39;], &#39;*&#39;: [&#39;A&#39;, &#39;A deutsch&#39;, &#39;B&#39;]}"
    assert f"<p>en [&#39;A&#39;, &#39;B&#39;] {all_of} en Site Site</p>" in run.text("x.html")
    assert f"<p>de [&#39;A deutsch&#39;] {all_of} en Seite Seite</p>" in run.text("de/x.html")
    assert run.text("titles.json") == '["A","B"]'
    assert "de/titles.json" not in run.files


def test_a_route_below_the_prefix_takes_the_place(site: Site, export: Export) -> None:
    pages = {"app/about/page.md": "# About\n", "app/de/about/page.md": "# Von Hand\n"}
    run = export(site({**FILES, **pages}))
    assert (run.code, run.findings) == (0, [])
    assert "# Von Hand" in run.text("de/about.md")
    assert alternates(run.text("about.html"))["de"] == "https://example.com/de/about"


def test_a_draft_of_a_translation_is_none(site: Site, export: Export) -> None:
    pages = {"app/page.md": "# Start\n", "app/page.de.md": "---\ndraft: true\n---\n# Anfang\n"}
    run = export(site({**FILES, **pages}))
    assert '<div lang="en" dir="ltr">' in run.text("de.html")
    assert "# Anfang" in export(site({**FILES, **pages}, "other"), "--drafts").text("de.md")


def test_words_of_the_site(site: Site, export: Export) -> None:
    words = '[languages.en.strings]\nhi = "Hello {}"\n[languages.de.strings]\nhi = "Hallo {}"\nnext = "Vorwärts"\n'
    page = "<h1>x</h1><p>{{ t('hi', 'Jo') }}, {{ t('next') }}, {{ t('menu') }}</p>"
    run = export(site({**FILES, "pybuild.toml": SETTINGS + words, "app/x/page.html": page}))
    assert "<p>Hello Jo, Next, Menu</p>" in run.text("x.html")
    assert "<p>Hallo Jo, Vorwärts, Menü</p>" in run.text("de/x.html")
    wrong = export(site({**FILES, "app/x/page.html": "{{ t('nxet') }}"}, "wrong"))
    assert set(wrong.messages) == {'t("nxet") has no words'}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            HEAD + 'language = "de"\n[languages]\ndefault = "en"\n',
            'languages.default is "en" and site.language is "de"',
        ),
        (HEAD + '[languages]\ndefault = "en_US"\n', 'languages.default is no language tag: "en_US"'),
        (HEAD + '[languages."de_AT"]\nlabel = "x"\n', '"de_AT" is no language tag'),
        (HEAD + "[languages.de]\n[languages.DE]\n", 'the languages "de" and "DE" differ by letter case only'),
        (HEAD + '[languages.de.collections]\nblog = "B"\n', 'there is no collection "blog"'),
        (HEAD + '[languages]\nfall = "x"\n', 'unknown setting "fall" in [languages]'),
        (
            HEAD + '[languages.de.strings]\nmonths = "a b"\n',
            "languages.de.strings.months has 2 names, not 12",
        ),
    ],
)
def test_settings_that_cannot_be(settings: str, message: str, site: Site, export: Export) -> None:
    run = export(site({"pybuild.toml": settings, "app/page.md": "# x\n"}))
    assert run.code == 1 and message in run.messages


def test_the_language_of_the_site_is_the_default(site: Site, export: Export) -> None:
    settings = HEAD + 'language = "de"\n[languages.en]\nlabel = "English"\n'
    files = {"pybuild.toml": settings, "app/page.md": "# Start\n", "app/page.en.md": "# Begin\n"}
    run = export(site(files))
    assert (run.code, run.findings) == (0, [])
    assert '<html lang="de">' in run.text("index.html") and "# Begin" in run.text("en.md")


EDITS = [
    ("a translation comes", "content/docs/de/b.md", "# B deutsch\n"),
    ("it changes", "content/docs/de/b.md", "# B anders\n"),
    ("it goes", "content/docs/de/b.md", None),
    ("a page is translated", "app/about/page.de.md", "# Über uns\n"),
    ("its translation is a draft", "app/about/page.de.md", "---\ndraft: true\n---\n# Über uns\n"),
    ("the original has another title", "content/docs/b.md", "# B2\n"),
    ("a translation has another address", "content/docs/de/a.md", "---\nslug: aa\n---\n# A deutsch\n"),
    ("the original goes", "content/docs/a.md", None),
    ("a page of the header comes", "app/old/page.md", "# Old\n"),
]


def test_an_export_after_each_edit_is_a_clean_one(site: Site, export: Export, tmp_path: Path) -> None:
    theme = '[theme]\nlinks = [{ label = "Old", url = "/old" }]\n'
    pages = {"app/about/page.md": "# About\n", "content/docs/c.md": "# C\n"}
    root = site({**FILES, **pages, "pybuild.toml": SETTINGS + theme})
    export(root, "--target", "caddy")
    for number, (what, path, text) in enumerate(EDITS):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink() if text is None else file.write_text(text, "utf-8")
        changed = export(root, "--target", "caddy")
        clean = tmp_path / f"clean{number}"
        shutil.copytree(root, clean, ignore=shutil.ignore_patterns("out", "out-deploy", ".pybuild"))
        assert changed.code == 0 and changed.tree() == export(clean, "--target", "caddy").tree(), what


def test_words_of_the_settings_in_each_language(site: Site, export: Export) -> None:
    settings = """
[site]
url = "https://example.com"
title = "Example"
[languages]
default = "en"
[languages.de]
collections = { docs = "Handbuch" }
strings = { "Basics" = "Grundlagen", "Start here" = "Hier beginnen", "A fine site" = "Eine feine Site" }
[theme]
footer = "A fine site"
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
title = "Manual"
nav = [{ slug = "a", label = "Start here" }, { label = "Basics", items = ["b"] }]
"""
    names = ("a", "b", "de/a", "de/b")
    documents = {f"content/docs/{name}.md": f"# Page {name}\n" for name in names}
    run = export(site({"pybuild.toml": settings, "app/page.md": "# Home\n", **documents}))
    assert run.code == 0
    for path, shown, others in (
        ("docs/a.html", ("Manual", "Basics", "Start here", "A fine site"), ("Handbuch", "Grundlagen")),
        (
            "de/docs/a.html",
            ("Handbuch", "Grundlagen", "Hier beginnen", "Eine feine Site"),
            ("Basics", "Start here"),
        ),
    ):
        page = run.text(path)
        assert [word for word in shown if word not in page] == []
        assert [word for word in others if word in page] == []


def test_the_page_for_nothing_says_it_in_each_language(site: Site, export: Export) -> None:
    settings = '[site]\nurl = "https://example.com/base"\ntitle = "T"\n[languages]\ndefault = "en"\n[languages.ar]\ntitle = "Ar"\n'
    run = export(site({"pybuild.toml": settings, "app/page.md": "# Home\n", "app/page.ar.md": "# Home\n"}))
    said = run.text("404.html").partition("<section ")[2].partition("</section>")[0]
    assert said == (
        'lang="ar" dir="rtl">\n<h2>الصفحة غير موجودة</h2>\n'
        '<p>لا يوجد شيء منشور على هذا العنوان. ابدأ من جديد من <a href="/base/ar">Ar</a>.</p>\n'
    )


def test_notes_and_the_links_of_headings_speak_the_language_of_their_text(site: Site, export: Export) -> None:
    text = "## H\n\n> [!NOTE]\n> a\n\n!!! seealso\n    b\n\n::: done\nc\n:::\n\n::: tip Mine\nd\n:::\n"
    settings = (
        '[site]\nurl = "https://a.example"\ntitle = "A"\nlanguage = "en"\n[languages.de]\n[languages.de.strings]\n'
        'label_done = "Fertig"\n[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
    )
    run = export(
        site(
            {
                "pybuild.toml": settings,
                "content/docs/a.md": text,
                "content/docs/de/a.md": text,
                "app/page.md": "# A\n",
            }
        )
    )
    said = re.compile(r'admonition-title">([^<]*)|aria-label="([^"]*): H"')
    names = {
        path: ["".join(found) for found in said.findall(run.text(path))]
        for path in ("docs/a.html", "de/docs/a.html")
    }
    assert names == {
        "docs/a.html": ["Permalink", "Note", "See also", "Done", "Mine"],
        "de/docs/a.html": ["Link zum Abschnitt", "Hinweis", "Siehe auch", "Fertig", "Mine"],
    }


def test_the_variant_of_a_page_that_shows_notes_does_not_repeat_their_kind(
    site: Site, export: Export
) -> None:
    shown = '{{ "> [!NOTE]\\n> a\\n\\n!!! tip \\"Mine\\"\\n    b\\n" | markdown }}'
    run = export(
        site(
            {
                **FILES,
                "app/de/show/page.html": f"<h1>S</h1>{shown}",
                "app/show/page.html": f"<h1>S</h1>{shown}",
            }
        )
    )
    assert ">Hinweis</p>" in run.text("de/show.html") and ">Note</p>" in run.text("show.html")
    for path in ("show.md", "de/show.md"):
        assert run.text(path).endswith("# S\n\n> [!NOTE]\n>\n> a\n\n> [!TIP]\n>\n> **Mine**\n>\n> b\n")
