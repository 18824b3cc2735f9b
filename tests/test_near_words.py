"""Words that are nearly known ones."""

from __future__ import annotations

import pytest

from pybuild.near_words import Words, words_of

KNOWN = ("docs/five-minutes", "style.css", "blog/a-long-title", "ab")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("docs/five_minutes", 'did you mean "docs/five-minutes"?'),
        ("stylle.css", 'did you mean "style.css"?'),
        ("styl.css", 'did you mean "style.css"?'),
        ("a-long-title", 'did you mean "blog/a-long-title"?'),
        ("xy", ""),
        ("", ""),
    ],
)
def test_hints_name_the_nearest_word(word: str, hint: str) -> None:
    assert Words(KNOWN).hint(word) == hint


def test_a_look_up_compares_with_no_word_that_is_far() -> None:
    compared: list[str] = []

    class Watched(str):
        def casefold(self) -> str:
            compared.append(str(self))
            return super().casefold()

    words = Words(Watched(f"page-{number}") for number in range(500))
    compared.clear()
    assert words.nearest("chapter") == ""
    assert compared == []


def test_the_index_of_equal_words_is_made_once() -> None:
    assert words_of(("titles", "menu")) is words_of(("titles", "menu"))
    assert words_of(("titles", "menu")).hint("title") == 'did you mean "titles"?'
