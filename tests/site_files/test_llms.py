"""Outside truth: the reference parser of llmstxt.org (PyPI `llms-txt`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llms_txt import parse_llms_file

from pybuild.config.loader import Config
from pybuild.config.schema import Collection, Llms, Options, Settings, Site
from pybuild.records import Artifact, Page
from pybuild.site_files.llms import llms_full, llms_index
from pybuild.site_files.variants import Variants
from pybuild.site_files.xml_text import one_line

LEAD = "The links lead to Markdown. The text of all pages: https://acme.example/llms-full.txt"


def read(page: Page) -> str:
    """A page's Markdown variant."""
    return (
        f'---\ntitle: "{page.title}"\n---\n\n'
        "> For the complete documentation index, see [llms.txt](https://acme.example/llms.txt).\n\n"
        f"# {page.title}\n\n## Part\n\n---\n\ntext of {page.url}\n"
    )


def texts(made: Iterable[Artifact]) -> dict[str, str]:
    return {artifact.path: artifact.body.decode() for artifact in made}


def links(text: str) -> dict[str, list[tuple[str, str, str | None]]]:
    """What the reference parser finds: section → (title, URL, note)."""
    parsed = parse_llms_file(text)
    return {name: [(o.title, o.url, o.desc) for o in rows] for name, rows in parsed.sections.items()}


@pytest.fixture
def pages(page):
    return [
        page("/", "Home"),
        page("/docs", "Docs home", collection="docs"),
        page("/docs/a", "Arrays [x]", description="How\nto: do", collection="docs"),
        page("/blog/p", "Post", collection="blog"),
        page("/shop/x", "X", group="market-place"),
        page("/secret", "No", indexed=False),
    ]


def test_the_whole_index(pages, config, docs) -> None:
    made = texts(llms_index(pages, config(collections=docs, description="All things.")))
    assert made == {
        "llms.txt": f"""\
# Acme

> All things.

{LEAD}

## Docs

- [Docs home](https://acme.example/docs.md)
- [Arrays (x)](https://acme.example/docs/a.md): How to: do

## News

- [Post](https://acme.example/blog/p.md)

## Market place

- [X](https://acme.example/shop/x.md)

## Pages

- [Home](https://acme.example/index.md)
"""
    }
    parsed = parse_llms_file(made["llms.txt"])
    assert (parsed.title, parsed.summary, parsed.info) == ("Acme", "All things.", LEAD)
    assert links(made["llms.txt"])["Docs"][1] == (
        "Arrays (x)",
        "https://acme.example/docs/a.md",
        "How to: do",
    )


def test_optional_sections_are_one_and_last(pages, config, docs) -> None:
    made = config(collections=docs, llms=Llms(optional=("docs", "market-place")))
    found = links(texts(llms_index(pages, made))["llms.txt"])
    assert list(found) == ["News", "Pages", "Optional"]
    assert [title for title, _, _ in found["Optional"]] == ["Docs home", "Arrays (x)", "X"]


def test_a_collection_called_optional_is_not_skipped(page, config) -> None:
    named = {"x": Collection(name="x", route="/x/[slug]", title="Optional")}
    [made] = llms_index([page("/x/a", collection="x")], config(collections=named))
    assert list(links(made.body.decode())) == ["Optional 2"]


def test_off_and_empty(config, page) -> None:
    off = config(llms=Llms(enabled=False))
    assert [*llms_index([page("/")], off), *llms_full([page("/")], off, Variants(read))] == []
    made = texts([*llms_index([], config()), *llms_full([], config(), Variants(read))])
    head = "# Acme\n\n> The pages of Acme as Markdown.\n\n"
    assert made == {"llms.txt": f"{head}{LEAD}\n", "llms-full.txt": head[:-1]}


@pytest.mark.parametrize(
    ("site", "asked"),
    [
        ({"description": ""}, {}),
        ({"description": "two\nlines"}, {}),
        ({}, {"details": "## A heading\n\nand prose"}),
        ({}, {"details": "> quoted"}),
        ({"title": "T\r\nx"}, {"summary": "a\r\nb"}),
        ({"title": "\ufeffT"}, {}),
        ({"title": "# T", "description": "# D"}, {"details": "- [a](b)"}),
    ],
)
def test_whatever_the_site_says_the_parser_takes(pages, config, docs, site, asked) -> None:
    made = texts(llms_index(pages, config(collections=docs, llms=Llms(**asked), **site)))["llms.txt"]
    parsed = parse_llms_file(made)
    assert list(parsed.sections) == ["Docs", "News", "Market place", "Pages"]
    assert parsed.summary and parsed.info
    assert "\r" not in made


def test_urls_end_at_no_parenthesis(page, config) -> None:
    [made] = llms_index([page("/a (b)"), page("/c", variant="")], config())
    rows = links(made.body.decode())["Pages"]
    assert [url for _, url, _ in rows] == ["https://acme.example/a%20%28b%29.md", "https://acme.example/c"]


@settings(derandomize=True, max_examples=200)
@given(
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=4),
    st.text(max_size=9),
)
def test_titles_and_notes_come_back(rows: list[tuple[str, str]], name: str) -> None:
    base = "https://acme.example"
    pages = [
        Page(f"/{n}", f"{base}/{n}", f"{n}.html", title, f"{base}/{n}.md", description=note, collection="c")
        for n, (title, note) in enumerate(rows)
    ]
    known = {"c": Collection(name="c", route="/[slug]", title=name)}
    config = Config(Path("/"), "", Settings(site=Site(base, name, name), collections=known), Options())
    [made] = llms_index(pages, config)
    parsed = parse_llms_file(made.body.decode())
    [found] = parsed.sections.values()
    brackets = str.maketrans("[]", "()")
    titles = [
        one_line(title or page.url).translate(brackets).rstrip("\\ ") or page.variant
        for page, (title, _) in zip(pages, rows, strict=True)
    ]
    assert [(o.title, o.url, o.desc or "") for o in found] == [
        (title, page.variant, one_line(note))
        for title, page, (_, note) in zip(titles, pages, rows, strict=True)
    ]
    assert parsed.title == one_line(name) or base


def test_past_the_limit_each_section_has_its_file(pages, config, docs) -> None:
    made = texts(llms_index(pages, config(collections=docs, llms=Llms(split=400, optional=("blog",)))))
    assert list(made) == [
        "docs/llms.txt",
        "blog/llms.txt",
        "llms/market-place.txt",
        "llms/pages.txt",
        "llms.txt",
    ]
    assert links(made["llms.txt"]) == {
        "Sections": [
            ("Docs", "https://acme.example/docs/llms.txt", "2 pages"),
            ("Market place", "https://acme.example/llms/market-place.txt", "1 page"),
            ("Pages", "https://acme.example/llms/pages.txt", "1 page"),
        ],
        "Optional": [("News", "https://acme.example/blog/llms.txt", "1 page")],
    }
    assert parse_llms_file(made["docs/llms.txt"]).title == "Acme: Docs"
    assert [title for title, _, _ in links(made["docs/llms.txt"])["Docs"]] == ["Docs home", "Arrays (x)"]


def test_a_section_past_the_limit_is_numbered(page, config, docs) -> None:
    pages = [page(f"/docs/{n:03}", f"Page {n}", collection="docs") for n in range(100)]
    made = texts(llms_index(pages, config(collections=docs, llms=Llms(split=1500))))
    numbered = [path for path in made if path.startswith("docs/llms-")]
    assert numbered == [f"docs/llms-{n}.txt" for n in range(1, len(numbered) + 1)]
    assert all(len(text) <= 1500 for text in made.values())
    listed = [url for _, url, _ in links(made["docs/llms.txt"])["Docs"]]
    assert listed == [f"https://acme.example/{path}" for path in numbered]
    found = [title for path in numbered for title, _, _ in links(made[path])["Docs"]]
    assert found == [f"Page {n}" for n in range(100)]


def test_sections_of_one_folder_do_not_share_a_file(page, config) -> None:
    same = {name: Collection(name=name, route="/docs/[...slug]") for name in ("Ü one", "two", "x/../y")}
    expand_empty_destinations = {**same, "root": Collection(name="root", route="/[...slug]")}
    pages = [page(f"/{n}", collection=name) for n, name in enumerate(expand_empty_destinations)]
    made = texts(llms_index(pages, config(collections=expand_empty_destinations, llms=Llms(split=1))))
    assert list(made) == ["docs/llms.txt", "llms/two.txt", "llms/x-y.txt", "llms/root.txt", "llms.txt"]


def test_the_whole_full_text(pages, config, docs) -> None:
    [made] = llms_full(pages[1:3], config(collections=docs), Variants(read))
    assert (
        made.body.decode()
        == """\
# Acme

> The pages of Acme as Markdown.

# Docs home

Source: https://acme.example/docs

## Part

---

text of /docs

# Arrays [x]

Source: https://acme.example/docs/a

## Part

---

text of /docs/a
"""
    )


def test_past_the_budget_each_section_has_its_full_text(pages, config, docs) -> None:
    made = texts(llms_full(pages, config(collections=docs, llms=Llms(full=200)), Variants(read)))
    assert list(made) == [
        "docs/llms-full-1.txt",
        "docs/llms-full-2.txt",
        "docs/llms-full.txt",
        "blog/llms-full.txt",
        "llms/market-place-full.txt",
        "llms/pages-full.txt",
        "llms-full.txt",
    ]
    assert "text of /docs\n" in made["docs/llms-full-1.txt"]
    assert links(made["docs/llms-full.txt"])["Docs"][1][1] == "https://acme.example/docs/llms-full-2.txt"
    assert links(made["llms-full.txt"])["Sections"][0] == (
        "Docs",
        "https://acme.example/docs/llms-full.txt",
        "2 pages",
    )
    assert all(len(text) <= 200 for path, text in made.items() if path[-5].isdigit())


def test_one_part_is_in_memory_at_a_time(page, config) -> None:
    read_pages: list[str] = []

    def watched(one: Page) -> str:
        read_pages.append(one.url)
        return "x" * 1000

    made = llms_full([page(f"/{n}") for n in range(9)], config(llms=Llms(full=1500)), Variants(watched))
    next(made)
    assert len(read_pages) < 8
