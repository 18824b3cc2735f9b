"""Names that some system cannot carry, and names that some system takes for one: refused on every system."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import SETTINGS, Files, Run

MakeSite = Callable[[Files], Path]
Export = Callable[..., Run]
DOCS = SETTINGS + '[collections.docs]\nsource = "content"\nroute = "/docs/[[...slug]]"\n'
HANDLER = 'from pybuild import PlainTextResponse\n\ndynamic = "force-static"\n\n\ndef GET():\n    return PlainTextResponse("b")\n'
PARAMS = '\n\ndef generate_static_params():\n    return [{{"slug": {}}}]\n'
NFD = unicodedata.normalize("NFD", "café")
NFD_A = unicodedata.normalize("NFD", "ä")
NAMES = (
    "con", "a:b", "what?", "dots.", "x" * 201, "%41", "a\u202eb", "lpt1.txt", "a*b", "a|b", 'a"b', "a<b", "a\\b", "\u200b", "space ", "a\x01b",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_document_of_such_a_name_is_refused(name: str, site: MakeSite, export: Export) -> None:
    run = export(site({"pybuild.toml": DOCS, f"content/{name}.md": "# A\n", "content/fine.md": "# B\n"}))
    assert (run.code, run.findings) == (1, [f"content/{name}.md: error[invalid-static-params]"])
    assert run.messages[0].startswith('"') and "cannot be part of a URL: it " in run.messages[0]


@pytest.mark.parametrize("name", [*NAMES, "", ".", "..", "../x", "a/b", "/", "\ud800", "a\0b"])
def test_a_param_of_such_a_value_is_refused(
    name: str, site: MakeSite, export: Export, tmp_path: Path
) -> None:
    root = site({"app/[slug]/route.py": HANDLER + PARAMS.format(ascii(name))})
    before = sorted(p for p in tmp_path.rglob("*") if ".pybuild" not in str(p))
    run = export(root)
    assert (run.code, run.findings) == (1, ["app/[slug]/route.py:10: error[invalid-static-params]"])
    assert sorted(p for p in tmp_path.rglob("*") if ".pybuild" not in str(p)) == before


@pytest.mark.parametrize("path", ["aux.txt", "nul/a.txt", "a:b.txt", "dot./a.txt", "%2e%2e"])
def test_a_public_file_of_such_a_name_is_refused(path: str, site: MakeSite, export: Export) -> None:
    run = export(site({"app/page.md": "# A\n", f"public/{path}": "x"}))
    assert (run.code, run.findings) == (1, [f"public/{path}: error[unsafe-path]"])


@pytest.mark.parametrize(
    "name",
    [
        "한" * 60,
        "x" * 200,
        "é",
        "שלום",
        "a b",
        "👩‍👧",
        "$$",
        "\\1"[1:],
        "{x}",
        "%s",
        "c++",
        "a&b",
        "it's",
        "~",
        "@",
    ],
)
def test_every_other_name_is_a_page(name: str, site: MakeSite, export: Export) -> None:
    run = export(site({"pybuild.toml": DOCS, f"content/{name}.md": "# A\n"}))
    assert (run.code, run.findings) == (0, [])
    assert {f"docs/{name}.html", f"docs/{name}.md"} <= set(run.files)


def test_decomposed_names_are_composed(site: MakeSite, export: Export) -> None:
    text = "# A\n\n[a](café.md) ![b](ä.svg)\n"
    names = {f"content/{NFD}.md": text, f"content/{NFD_A}.svg": "x", f"public/{NFD}.txt": "x"}
    run = export(site({"pybuild.toml": DOCS, **names}))
    assert run.findings == [] and {"docs/café.html", "docs/café.md", "docs/ä.svg", "café.txt"} <= set(
        run.files
    )


CONFLICTS: dict[str, tuple[Files, str, str]] = {
    "letter case": (
        {"content/Blog.md": "# A\n", "content/blog.md": "# B\n"},
        "content/blog.md",
        'content/Blog.md makes "docs/Blog.html" and content/blog.md makes "docs/blog.html", which some systems store in one file',
    ),
    "Unicode form": (
        {f"content/{NFD}.md": "# A\n", "content/café.md": "# B\n"},
        "content/café.md",
        f'content/{NFD}.md makes "docs/café.html" and content/café.md makes it too',
    ),
    "folded letters": (
        {"content/straße.md": "# A\n", "public/docs/STRASSE.html": "x"},
        "content/straße.md",
        'public/docs/STRASSE.html makes "docs/STRASSE.html" and content/straße.md makes "docs/straße.html", '
        "which some systems store in one file",
    ),
    "page and file": (
        {"app/a/page.md": "# A\n", "public/a.html": "x"},
        "app/a/page.md",
        'public/a.html makes "a.html" and app/a/page.md makes it too',
    ),
    "page and document": (
        {"app/docs/a/page.md": "# A\n", "content/a.md": "# B\n"},
        "content/a.md",
        'app/docs/a/page.md makes "docs/a.html" and content/a.md makes it too',
    ),
    "file and folder": (
        {"app/b/route.py": HANDLER, "public/b/c.txt": "x"},
        "public/b/c.txt",
        '"b" is a file of app/b/route.py, and "b/c.txt" needs a folder of that name',
    ),
    "generated": (
        {"public/404.HTML": "x", "app/page.md": "# A\n"},
        "public/404.HTML",
        'pybuild makes "404.html" and public/404.HTML makes "404.HTML", which some systems store in one file',
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_two_makers_of_one_file_are_refused(name: str, site: MakeSite, export: Export) -> None:
    files, place, message = CONFLICTS[name]
    run = export(site({"pybuild.toml": DOCS, "content/z.md": "# Z\n", **files}))
    assert (run.code, run.findings, run.messages) == (1, [f"{place}: error[output-conflict]"], [message])


def test_a_generated_file_in_another_letter_case_is_refused_too(site: MakeSite, export: Export) -> None:
    run = export(site({"app/page.md": "# A\n", "public/Sitemap.xml": "x", "public/LLMS.TXT": "x"}))
    assert run.findings == [
        "public/LLMS.TXT: error[output-conflict]",
        "public/Sitemap.xml: error[output-conflict]",
    ]
