"""Markdown pages from a seed: every construct, alone and inside the others, with text that looks like markup."""

from __future__ import annotations

import random
from collections.abc import Mapping

WORDS = (
    "tide", "Ebbe", "harbour", "naïve", "水位", "فيضان", "שלום", "Ωmega", "a<b", "x & y", "`tick`", "*star*", "_snake_case_",
    "1 < 2 > 0", "\"quoted\"", "it's", "50 %", "$PATH", "{{ braces }}", "{% tag %}", "<script>", "--", "…", "😀", "C:\\dir",
)  # fmt: skip
SOUND = {  # markup of authors that is let through: the hostile pieces, mended
    "a<b": "a&lt;b",
    "<script>": "<kbd>k</kbd>",
    "<not & a tag>": "<em>code</em>",
    '<b onclick="x()">raw</b>': '<b class="y">raw</b>',
    '<a href="x">': '<a href="https://example.org/">x</a>',
    '<div class="x" id="main">': "<div class=x>",
    "<p>unclosed <script>alert(1)</script>": "<p>closed</p>",
    "<!-- a comment -- -->": "<!-- a comment -->",
}
LANGUAGES = ("python", "js", "sh", "html", "json", "console", "diff", "no-such-language", "")
KINDS = ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION")
LISTS = ("- ", "* ", "1. ", "7. ", "- [ ] ", "- [x] ")


class _Writer:
    def __init__(self, seed: int, names: tuple[str, ...]) -> None:
        self.pick = random.Random(seed)
        self.names = names
        self.notes = 0

    def words(self, least: int = 3, most: int = 12) -> str:
        return " ".join(self.pick.choices(WORDS, k=self.pick.randint(least, most)))

    def inline(self) -> str:
        text = self.words(1, 4).replace("`", "").replace("*", "").replace("_", "")
        made = (
            f"**{text}**", f"*{text}*", f"~~{text}~~", "`` code ` & <b> ``", f"[{text}]({self.pick.choice(self.names)})",
            f"[{text}](https://example.org/a?b=1&c=2#d)", f'![{text}](https://example.org/x.png "A title")',
            "<https://example.org/?q=a&b>", "https://example.org/bare_(link)", "www.example.org", "someone@example.org",
            "a  \nbreak", "&copy; &#35; &nosuch;", '<b onclick="x()">raw</b>', "\\*escaped\\*", "[nowhere][nosuch]", "H~2~O",
            "[js](javascript:alert(1))", '<a href="x">',
        )  # fmt: skip
        return f"{self.words(1, 5)} {self.pick.choice(made)} {self.words(1, 5)}"

    def block(self, depth: int = 0) -> str:
        leaves = (self.paragraph, self.code, self.indented, self.table, self.rule, self.note, self.raw)
        nests = (self.quote, self.alert, self.list, self.definitions)
        return self.pick.choice(leaves + nests * (depth < 3))(depth)

    def paragraph(self, depth: int) -> str:
        return "\n".join(self.inline() for _ in range(self.pick.randint(1, 3)))

    def code(self, depth: int) -> str:
        fence = self.pick.choice(("```", "~~~~", "`````"))
        return f"{fence}{self.pick.choice(LANGUAGES)}\n# {self.words()}\n\n  <p>&amp;</p>\n```x\n{fence}"

    def indented(self, depth: int) -> str:
        return f"    {self.words()}\n\n    <not & a tag>"

    def table(self, depth: int) -> str:
        row = [self.words(1, 3).replace("|", "\\|") for _ in range(3)]
        return f"| {' | '.join(row)} |\n| :-- | :-: | --: |\n| a \\| b | `c` | |\n| {row[0]} |"

    def rule(self, depth: int) -> str:
        return "***"

    def note(self, depth: int) -> str:
        self.notes += 1
        return (
            f"{self.words()}[^n{self.notes}] and again[^n{self.notes}].\n\n[^n{self.notes}]: {self.words()}"
        )

    def raw(self, depth: int) -> str:
        return '<div class="x" id="main">\n<p>unclosed <script>alert(1)</script>\n</div>\n\n<!-- a comment -- -->'

    def quote(self, depth: int) -> str:
        return _before("> ", self.block(depth + 1))

    def alert(self, depth: int) -> str:
        return f"> [!{self.pick.choice(KINDS)}]\n" + _before("> ", self.block(depth + 1))

    def list(self, depth: int) -> str:
        mark = self.pick.choice(LISTS)
        items = (self.block(depth + 1) for _ in range(self.pick.randint(1, 3)))
        return "\n".join(mark + _before(" " * len(mark), item).lstrip() for item in items)

    def definitions(self, depth: int) -> str:
        return f"{self.words(1, 2)}\n: {self.words()}\n\n{_before('    ', self.block(depth + 1))}"

    def page(self, number: int) -> str:
        front = (
            f'---\ntitle: "Page {number}"\ndate: 2025-01-{number % 28 + 1:02}\ntags: [a, "b & <c>"]\n---\n\n'
        )
        sections = (
            f"{mark} {self.inline()}\n\n" + "\n\n".join(self.block() for _ in range(6))
            for mark in ("##", "###", "##", "###", "####")
        )
        return front + "\n\n".join(sections) + "\n"


def _before(prefix: str, text: str) -> str:
    return "\n".join((prefix + line).rstrip() for line in text.split("\n"))


def markdown_pages(count: int, seed: int) -> Mapping[str, str]:
    """`p0.md` … with links among them; the same for the same seed."""
    names = tuple(f"p{number}.md" for number in range(count))
    writer = _Writer(seed, names)
    return {name: writer.page(number) for number, name in enumerate(names)}


def with_sound_html(text: str) -> str:
    """A page whose raw HTML is valid, for sites that let it through."""
    for hostile in sorted(SOUND, key=len, reverse=True):
        text = text.replace(hostile, SOUND[hostile])
    return text
