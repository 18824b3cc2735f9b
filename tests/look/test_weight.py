"""What a page of documentation weighs beside its text: a first visit stays below 60 KB with 25 KB of text in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from harness import SETTINGS, Files, Run
from selectolax.lexbor import LexborHTMLParser

COLLECTION = '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
WORDS = ("Installing", "the", "anvil", "in", "a", "workshop")  # a title as people write them
FILES = 23_000  # look.css, look.js and the icon
AROUND = 10_000


def documents() -> Files:
    """130 documents in folders of ten, as real documentation has them."""
    headings = "".join(f"\n## Heading {number} of the page\n\nText.\n" for number in range(12))
    title = " ".join(WORDS)
    return {
        f"content/docs/part-{number // 10}/{'-'.join(WORDS).lower()}-{number}.md": f"# {title} {number}\n{headings}"
        for number in range(130)
    }


def test_what_is_around_a_text_is_small(site: Callable[[Files], Path], export: Callable[..., Run]) -> None:
    run = export(site({"pybuild.toml": SETTINGS + COLLECTION, **documents()}), "--engine", "serial")
    assert run.code == 0
    html = run.text("docs/part-4/installing-the-anvil-in-a-workshop-45.html")
    (article,) = LexborHTMLParser(html).css("article")
    assert len(html.encode()) - len((article.html or "").encode()) < AROUND
    asked = re.findall(r'(?:href|src)="/(assets/pybuild/[^"]+)"', html)
    assert len(asked) == 3
    assert sum((run.out / path).stat().st_size for path in asked) < FILES
