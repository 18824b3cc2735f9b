"""What the site says in each language, from `data/words.toml`. Knows no page."""

from __future__ import annotations

from pybuild import data


def say(language: str, name: str, value: object = "") -> str:
    """The words of a name, with `value` where they have `{}`."""
    return str(data("words")[language][name]).format(value)
