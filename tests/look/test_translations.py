"""The words of the look: each language has all of them, with the same places for numbers and names."""

from __future__ import annotations

import pytest

from pybuild.language_tags import NAMES
from pybuild.look.strings import ENGLISH, LANGUAGES, text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_language_has_every_word(language: str) -> None:
    table = LANGUAGES[language]
    assert sorted(table) == sorted(ENGLISH)
    assert [name for name, words in table.items() if words.count("{}") != ENGLISH[name].count("{}")] == []
    assert [len(table[name].split()) for name in ("months", "days")] == [12, 7]
    assert table["titled_page"].format(title="A", number=2).count("2") == 1


def test_every_language_has_a_name() -> None:
    assert sorted(NAMES) == sorted(LANGUAGES)


def test_words_of_the_site_go_first_and_english_last() -> None:
    own = [{"next": "Vorwärts"}, {"next": "Forward", "hi": "Hi {}"}]
    assert text("de-AT", "next", None, own) == "Vorwärts"
    assert text("de-AT", "prev", None, own) == "Zurück"
    assert text("de-AT", "hi", "Jo", own) == "Hi Jo"
    assert text("sv", "prev") == "Previous"
    assert text("de", "documents", 1) == "1 Seite"
    with pytest.raises(LookupError):
        text("de", "nothing")
