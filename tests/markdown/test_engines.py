"""Engines: each gives the HTML of CommonMark, and both give the same, on examples, spliced texts and real pages."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from pybuild.config.schema import Markdown
from pybuild.markdown.engines import engine_of, is_fast, python_engine
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.source.front_matter import parse

SPECIFICATION = (Path(__file__).parent.parent / "data/commonmark-spec.txt").read_text("utf-8")
EXAMPLES = [
    (found[1].replace("→", "\t"), found[2].replace("→", "\t"))
    for found in re.finditer(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", SPECIFICATION, re.M | re.S)
]
FAST, PYTHON = engine_of("auto"), python_engine()
PAGES = [MarkdownRenderer(Markdown(engine=name)) for name in ("auto", "markdown-it-py")]
# Read otherwise by one of the two: see docs/markdown.md.
_DIFFERENT = re.compile(
    r"\u00a0|^[ >]*[-=]+[ ]*$|^ {4,}>|^ *(?:[-*+]|\d+[.)]) +(?:```|~~~)|<style|\]:|`{3}|~{3}", re.M
)


def spelt(html: str) -> str:
    """HTML with one spelling of what may be written in several ways."""
    html = html.replace("<li>\n", "<li>")
    return unescape(html.replace("&lt;", "\ue000").replace("&gt;", "\ue001").replace("&amp;", "\ue002"))


@pytest.mark.parametrize("engine", [FAST, PYTHON])
def test_examples_of_the_specification(engine: object) -> None:
    assert len(EXAMPLES) == 652
    wrong = [(text, html) for text, html in EXAMPLES if spelt(engine(text)) != spelt(html)]  # type: ignore[operator]
    assert wrong == []


def test_both_write_the_examples_alike() -> None:
    assert [text for text, _ in EXAMPLES if FAST(text) != PYTHON(text)] == []


def test_the_fast_engine_is_the_default_where_it_is_installed() -> None:
    assert is_fast("auto") and is_fast("pyromark") and not is_fast("markdown-it-py")


def spliced(seed: int, count: int) -> Iterator[str]:
    """Texts cut and put together of the examples, by halves and by lines."""
    pick = random.Random(seed)
    lines = [line for text, _ in EXAMPLES for line in text.split("\n")]
    for _ in range(count):
        one, two = (pick.choice(EXAMPLES)[0] for _ in range(2))
        halves = one[: pick.randint(0, len(one))] + two[pick.randint(0, len(two)) :]
        yield pick.choice((halves, "\n".join(pick.choices(lines, k=pick.randint(2, 6))))) + "\n"


def test_texts_cut_and_spliced() -> None:
    texts = [text for text in spliced(7, 1500) if not _DIFFERENT.search(text)]
    assert len(texts) > 500
    assert [text for text in texts if FAST(text) != PYTHON(text)] == []


@pytest.mark.skipif("PYBUILD_CORPUS" not in os.environ, reason="needs a folder of Markdown pages")
def test_pages_of_a_corpus() -> None:
    for file in sorted(Path(os.environ["PYBUILD_CORPUS"]).rglob("*.md"))[::4]:
        body = parse(file.read_bytes(), file.name).body
        one, two = (renderer.render(body, resolve=lambda href, _: href) for renderer in PAGES)
        assert one == two, file
