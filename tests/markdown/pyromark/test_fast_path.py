"""The quick reading of native HTML against the walk over all events: the same, or none."""

from __future__ import annotations

import random
from dataclasses import replace

import pyromark
import pytest
from markdown_it import MarkdownIt
from markdown_pages import markdown_pages

from pybuild.markdown.pyromark.events import Walk
from pybuild.markdown.pyromark.fast_path import Unclear, read
from pybuild.markdown.pyromark.links import Reading, Source, Unfit
from pybuild.markdown.pyromark.renderer import _EXTENSIONS

PARSER = pyromark.Markdown(options=_EXTENSIONS)
PLAIN = """# The *title* of "it" & more

Words with `code "x"` and [a link](a/b.md#c "T'i") and ![an *image*](x.png).

## Two `lines`\x20

- tight [one](/x)

  | a | b |
  |:--|--:|
  | 1 | [t](y.md) |

1. > quoted **strong** ~~gone~~\\
   broken

```py title="x"
if a < b: print("&lt;")
```

***
"""


def source(text: str) -> Source:
    return Source(text, "※", MarkdownIt("commonmark"))


def quick(text: str) -> Reading:
    return read(source(text), PARSER.html(text), 3, is_highlighted=False)


def walked(text: str) -> Reading:
    walk = Walk(source(text), 3, is_highlighted=False)
    walk.run(PARSER.events_with_range(text))
    return walk.reading()


@pytest.mark.parametrize(
    "text", [PLAIN, "", "\n\n", "words\n", ">\n", "# A\n", "[![i](a)](b)\n", "- - -\n", '"\n']
)
def test_what_is_clear_is_read_as_by_the_walk(text: str) -> None:
    assert quick(text.replace("<", "※")) == walked(text.replace("<", "※"))


@pytest.mark.parametrize(
    "text",
    [
        "[r]\n\n[r]: /x\n",
        "# A {#b}\n",
        "[a](<b c>)\n",
        "- [ ] task\n",
        "a ~b~\n",
        "| a |\n|---|\n    | b |\n",
        "https://a.example\n",
        "`[a](b)` [c](d)\n",
        "[a\nb](c)\n",
        "[`a\nb`](c)\n",
        "![a\nb](c)\n",
        "[a](b\\*c)\n",
        "[a](b&amp;c)\n",
        "words\n\n# Late\n",
        "H1Span\n=====\n",
        "```a&amp;b\nx\n```\n",
        "".join(f"{'  ' * depth}- x\n" for depth in range(20)),
        "*a **b " * 12 + "c** d*" * 12,
    ],
)
def test_what_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(Unclear):
        quick(text)


def test_pages_cut_anywhere_are_read_as_by_the_walk_or_refused() -> None:
    chance, clear = random.Random(5), 0
    for page in markdown_pages(200, 7).values():
        lines = page.replace("<", "※").split("\n")
        begin = chance.randrange(len(lines))
        text = "\n".join(lines[begin : begin + chance.randint(1, 30)]) + "\n"
        try:
            pair = quick(text), walked(text)
        except (Unclear, Unfit):
            continue
        clear += 1
        assert pair[0] == replace(
            pair[1], found=pair[0].found
        )  # the walk is one off behind code over a line end
    assert clear > 100
