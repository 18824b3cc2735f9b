"""The files of the look: small, and with nothing in them that only people read."""

from __future__ import annotations

import re

from pybuild.config.schema import Theme
from pybuild.look.files import look_files_of

FILES = look_files_of(Theme(), "Anvil")


def test_scripts_and_style_stay_small() -> None:
    sizes = {name: len(getattr(FILES, name).body) for name in ("style", "script", "search")}
    assert (sizes["style"] < 26_000, sizes["script"] < 10_000, sizes["search"] < 20_000) == (True,) * 3, sizes


def test_style_has_no_blanks_and_no_comments() -> None:
    style = FILES.style.body.decode()
    assert re.findall(r"/\*|[{};,] |;}|\n\n| {", style) == []
    assert ".pb-header{position:sticky;" in style
    assert "@media (min-width:62rem){" in style


def test_each_file_is_named_by_its_bytes() -> None:
    other = look_files_of(Theme(accent="#a8281f"), "Anvil")
    assert other.script.path == FILES.script.path
    assert other.style.path != FILES.style.path
