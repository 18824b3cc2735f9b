"""The two Markdown engines held against each other: the specification, real documents, and what nobody would write."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import astuple
from pathlib import Path

import pytest
from harness import run_command
from markdown_it import MarkdownIt
from markdown_pages import markdown_pages

from pybuild.config.loader import Markdown
from pybuild.markdown.pyromark.renderer import NativeRenderer
from pybuild.markdown.renderer import MarkdownRenderer, MarkdownResult, make_parser
from pybuild.markdown.rewrite import ensure_one_h1, rewrite_links
from pybuild.source.front_matter import parse

SPEC = (Path(__file__).parents[2] / "data" / "commonmark-spec.txt").read_text("utf-8").replace("→", "\t")
EXAMPLES = re.findall(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", SPEC, re.M | re.S)
SETTINGS = Markdown(highlight=False)
FIRST = MarkdownRenderer(SETTINGS)
SECOND = NativeRenderer(SETTINGS)


class Refused(Exception):
    """The second engine gave the text to the first."""


class _Refusing:
    def render(self, *_: object, **__: object) -> MarkdownResult:
        raise Refused


ALONE = NativeRenderer(SETTINGS)
ALONE._other = _Refusing()  # type: ignore[assignment]


def resolve(href: str, line: int, is_image: bool) -> str:
    return f"/to{href}&{is_image}"


def seen(renderer: NativeRenderer | MarkdownRenderer, text: str) -> list[object]:
    """All that is made of a text, but for the lines of its links."""
    made = renderer.render(text, resolve=resolve, line_offset=2)
    links = {link.href: f"/new/{link.href}" for link in made.links}
    variant = ensure_one_h1(rewrite_links(text, links, outline=made.outline), "T")
    with_h1 = ensure_one_h1(text, "T", outline=made.outline)
    parts = (made.html, made.toc, made.title, made.has_h1, made.excerpt, made.anchors)
    return [*parts, list(links), variant, with_h1]


def differing(texts: Iterable[str]) -> tuple[list[str], int]:
    """The texts of which the engines make different things, and how many the second refused."""
    found, refused = [], 0
    for text in texts:
        try:
            alone = seen(ALONE, text)
        except Refused:
            refused += 1
            continue
        if alone != seen(FIRST, text):
            found.append(text)
    return found, refused


def test_the_specification_of_both() -> None:
    """Every example, by the first as the specification has it, and by the second as by the first."""
    parser = MarkdownIt("commonmark")
    assert len(EXAMPLES) == 652
    assert [text for text, html in EXAMPLES if tight(parser.render(text)) != tight(html)] == []
    assert differing(text for text, _ in EXAMPLES) == ([], 7)


def tight(html: str) -> str:
    """HTML without line ends between tags, which show nowhere."""
    return html.replace(">\n<", "><")


def test_what_our_own_marks_change_of_the_specification() -> None:
    """With tables, notes and the rest switched on, hardly an example reads differently."""
    parser = make_parser(html=True)
    parser.options["xhtmlOut"] = True  # as the specification writes it
    rules = parser.renderer.rules  # type: ignore[attr-defined]
    for name in ("table_open", "table_close", "list_item_open"):
        rules.pop(name, None)
    changed = [
        text for text, html in EXAMPLES if tight(parser.render(text, {"definitions": []})) != tight(html)
    ]
    assert len(changed) <= 12, changed


def test_generated_pages() -> None:
    pages = markdown_pages(60, 11).values()
    assert differing(pages)[0] == []
    assert all(seen(SECOND, page) == seen(FIRST, page) for page in pages)


def corpus() -> dict[str, str]:
    folder = os.environ.get("PYBUILD_CORPUS")
    if not folder:
        pytest.skip("PYBUILD_CORPUS names no folder of Markdown")
    files = sorted(Path(folder).rglob("*.md"))
    return {str(file): parse(file.read_bytes(), file.name).body for file in files}


def test_real_documents() -> None:
    """Equal HTML everywhere; in variants only definitions that an earlier one makes unused differ."""
    documents = corpus()
    found, refused = differing(documents.values())
    assert refused < len(documents) / 15
    html = [[seen(renderer, text)[:7] for text in found] for renderer in (FIRST, ALONE)]
    assert html[0] == html[1]
    assert all(len(re.findall(r"^\[//\]:", text, re.M)) > 1 for text in found)


PIECES = (
    "*", "**", "_", "`", "[", "](", "]", ")", "<", ">", "http://a.b/c", "www.a.bc", "&amp;", "\\", "\n", "\n\n", "- ", "1. ",
    "> ", "# ", "    ", "|a|b|\n|-|-|\n|c|d|\n", "~~", "~", "![", "x", "é", "{#id}", "a b", "\t", "<b>", "</b>", "<http://x.y>",
    "<a@b.c>", '"t"', "[r]", "```\n", "- [ ] ", "===\n", "---\n", "  \n", "!",
)  # fmt: skip


def pieces(chance: random.Random) -> str:
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 14)))


def joined(chance: random.Random) -> str:
    return chance.choice(["\n", "", "\n\n"]).join(
        chance.choice(EXAMPLES)[0] for _ in range(chance.randint(2, 4))
    )


def mixed(chance: random.Random) -> str:
    text = chance.choice(EXAMPLES)[0]
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(PIECES) + text[at:]


@pytest.mark.parametrize("make", [pieces, joined, mixed])
def test_what_nobody_would_write(make: Callable[[random.Random], str]) -> None:
    """Of texts made of markup alone one in a hundred may differ: the kinds are listed in docs/markdown.md."""
    chance = random.Random(5)
    texts = [make(chance) for _ in range(1200)]
    found, refused = differing(texts)
    assert len(found) <= len(texts) / 50, found[:5]
    assert refused < len(texts) / 5


KNOWN = [  # text, and what the second makes of it
    ("[r]: /u\n\t# x\n", "<p># x</p>\n"),
    ("> [r]: /u\nx\n", "<blockquote>\n<p>x</p>\n</blockquote>\n"),
    ("\\  \nx\n", "<p>\\<br>\nx</p>\n"),
]


@pytest.mark.parametrize("text, html", KNOWN)
def test_known_differences(text: str, html: str) -> None:
    assert ALONE.render(text, resolve=resolve).html == html
    assert FIRST.render(text, resolve=resolve).html != html


@pytest.mark.parametrize(
    "text",
    ["[^1]\n\n[^1]: note\n", "> [!NOTE]\n> x\n", "!!! note\n    x\n", "::: tip\nx\n:::\n", "a\n: b\n", "a ~b~\n", "[x](javascript:1)\n",
     "- [ ] - x\n", "\\|a|b|\n|-|-|\n", "※⁂‽⸮", "*" * 60 + "x" + "*" * 60, "https://a.b/c\\_d\n", "# a\\# {#x}\n"],
)  # fmt: skip
def test_what_only_the_first_reads_goes_there(text: str) -> None:
    with pytest.raises(Refused):
        ALONE.render(text, resolve=resolve)
    assert astuple(SECOND.render(text, resolve=resolve)) == astuple(FIRST.render(text, resolve=resolve))


def test_raw_html_goes_to_the_first_where_it_is_let_through() -> None:
    settings = Markdown(html=True)
    text = "a <b>b</b>\n"
    assert NativeRenderer(settings).render(text, resolve=resolve).html == "<p>a <b>b</b></p>\n"
    assert SECOND.render(text, resolve=resolve).html == "<p>a &lt;b&gt;b&lt;/b&gt;</p>\n"


def test_lines_of_links() -> None:
    text = "a `b\nc` [d](e)\n\n> - https://f.g\n>   ![h](i)\n"
    made = ALONE.render(text, resolve=resolve, line_offset=10)
    assert [(link.href, link.line) for link in made.links] == [("e", 12), ("https://f.g", 14), ("i", 15)]


SITE = '[site]\nurl = "https://a.example"\ntitle = "A"\n[markdown]\nengine = "{}"\n'


def test_a_site_is_the_same_with_both(tmp_path: Path) -> None:
    made = []
    for engine in ("markdown-it-py", "pyromark"):
        root = tmp_path / engine
        for name, text in markdown_pages(12, 4).items():
            file = root / "app" / Path(name).stem / "page.md"
            file.parent.mkdir(parents=True)
            file.write_text(text, "utf-8")
        (root / "pybuild.toml").write_text(SITE.format(engine), "utf-8")
        run = run_command(root, "export", str(root), "--jobs", "1")
        assert run.code == 0, run.stderr
        made.append({f.name: f.read_bytes() for f in sorted((root / "out").rglob("*")) if f.is_file()})
    assert len(made[0]) > 24
    assert made[0] == made[1]


def test_an_engine_that_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "pybuild.toml").write_text(SITE.format("comrak"), "utf-8")
    run = run_command(tmp_path, "check", str(tmp_path))
    assert run.code == 1
    assert 'pybuild.toml:5: error[config-error]: there is no Markdown engine "comrak"' in run.stderr
    assert "fix: choose one of markdown-it-py, pyromark" in run.stderr
