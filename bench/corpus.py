"""A corpus for benchmarks: seeded pages of Markdown with the sizes and constructs of real documentation.

`python3 bench/corpus.py 1000 DIR` writes 1,000 pages. The same number gives the same bytes everywhere.
Sizes follow a log-normal distribution (median 4.5 KB, mean 6.3 KB); 30 % of the pages hold code.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "as",
    "with",
    "on",
    "be",
    "by",
    "this",
    "are",
    "from",
    "at",
    "or",
    "an",
    "which",
    "can",
    "not",
    "have",
    "has",
    "was",
    "were",
    "will",
    "page",
    "site",
    "build",
    "route",
    "handler",
    "static",
    "export",
    "folder",
    "file",
    "request",
    "response",
    "header",
    "value",
    "type",
    "name",
    "list",
    "order",
    "host",
    "server",
    "client",
    "cache",
    "rule",
    "pattern",
    "redirect",
    "rewrite",
    "proxy",
    "path",
    "segment",
    "parameter",
    "template",
    "layout",
    "variant",
    "markdown",
    "document",
    "collection",
    "title",
    "description",
    "date",
    "author",
    "language",
    "feed",
    "sitemap",
    "index",
    "entry",
    "link",
    "anchor",
    "heading",
    "table",
    "paragraph",
    "code",
    "block",
    "example",
    "option",
    "setting",
    "default",
    "error",
    "warning",
    "message",
    "line",
    "column",
    "place",
    "reason",
    "hint",
    "answer",
]
CODE = {
    "python": 'def {a}({b}: str) -> int:\n    """Return the {c} of {b}."""\n    return len({b}) + {n}\n',
    "json": '{{\n  "{a}": "{b}",\n  "{c}": {n}\n}}\n',
    "bash": 'for {a} in *.{b}; do\n  echo "${a}" | head -n {n}\ndone\n',
    "toml": '[{a}]\n{b} = "{c}"\nlimit = {n}\n',
}


def sentence(dice: random.Random, links: list[str]) -> str:
    words = dice.choices(WORDS, k=dice.randint(6, 18))
    if dice.random() < 0.15:
        words[dice.randrange(len(words))] = f"`{dice.choice(WORDS)}`"
    if dice.random() < 0.12:
        words[dice.randrange(len(words))] = f"**{dice.choice(WORDS)} {dice.choice(WORDS)}**"
    if links and dice.random() < 0.08:
        words.append(f"[{dice.choice(WORDS)}]({dice.choice(links)})")
    return " ".join(words).capitalize() + "."


def block(dice: random.Random, links: list[str], *, has_code: bool) -> str:
    kind = dice.random()
    if has_code and kind < 0.25:
        language = dice.choice(sorted(CODE))
        names = dict(zip("abc", dice.sample(WORDS, 3), strict=True))
        return f"```{language}\n{CODE[language].format(n=dice.randint(1, 99), **names)}```\n"
    if kind < 0.40:
        return "".join(f"- {sentence(dice, links)}\n" for _ in range(dice.randint(2, 6)))
    if kind < 0.45:
        rows = "".join(
            f"| {dice.choice(WORDS)} | {dice.randint(1, 999)} |\n" for _ in range(dice.randint(2, 8))
        )
        return f"| name | value |\n|---|--:|\n{rows}"
    if kind < 0.60:
        return f"## {' '.join(dice.choices(WORDS, k=3)).capitalize()}\n"
    return " ".join(sentence(dice, links) for _ in range(dice.randint(2, 6))) + "\n"


def page(number: int, count: int) -> str:
    """One page of a corpus of `count`; links go to its neighbours in the same folder."""
    dice = random.Random(f"pybuild {number}")
    first = number - number % 100
    siblings = [f"page-{n:06}.md" for n in range(first, min(first + 100, count)) if n != number]
    links = dice.sample(siblings, min(4, len(siblings)))
    size = min(60_000, dice.lognormvariate(8.41, 0.82))
    has_code = dice.random() < 0.3
    title = " ".join(dice.choices(WORDS, k=4)).capitalize()
    day = f"20{dice.randint(15, 25)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    parts = [f'---\ntitle: "{title} {number}"\ndescription: "{sentence(dice, [])}"\ndate: {day}\n---\n']
    length = 0
    while length < size:
        parts.append(block(dice, links, has_code=has_code))
        length += len(parts[-1])
    return "\n".join(parts)


def write(count: int, folder: Path) -> None:
    """Write `count` pages below `folder`, 100 to a folder."""
    for number in range(count):
        file = folder / f"part-{number // 100:04}" / f"page-{number:06}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page(number, count), "utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
