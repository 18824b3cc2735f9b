"""The files of the look: small, and with nothing in them that only people read."""

from __future__ import annotations

import re

from pybuild.config.schema import Theme
from pybuild.look.files import look_files_of

FILES = look_files_of(Theme(), "Anvil")


def test_scripts_and_style_stay_small() -> None:
    """A page of 38 KB of HTML comes with less than 60 KB, search apart."""
    every_page = FILES.page, FILES.page_script, FILES.icon
    assert sum(len(file.body) for file in every_page) < 22_000
    whole = FILES.style, FILES.script
    assert sum(len(file.body) for file in whole) < 30_000
    assert len(FILES.search.body + FILES.search_style.body) < 10_000


def test_a_page_gets_the_style_and_script_of_what_is_in_it() -> None:
    plain = '<article><p class="pb-lead">A tab, and steps.</p><pre class="highlight"></pre></article>'
    assert FILES.styles(plain) == (FILES.page,)
    assert FILES.script_for(plain) == FILES.page_script
    listed = '<ul class="wide pb-list"></ul>'
    assert FILES.styles(listed) == (FILES.page, FILES.more)
    assert FILES.script_for(listed) == FILES.page_script
    tabs = '<div class="tabs" data-pb-tabs></div>'
    assert FILES.styles(tabs) == (FILES.page, FILES.more)
    assert FILES.script_for(tabs) == FILES.script


def test_whole_style_is_that_of_pages_and_more() -> None:
    assert FILES.style.body == FILES.page.body + b"\n" + FILES.more.body


def test_style_has_no_blanks_and_no_comments() -> None:
    style = FILES.style.body.decode()
    assert re.findall(r"/\*|[{};,] |;}|\n\n| {", style) == []
    assert ".pb-header{position:sticky;" in style
    assert "@media (min-width:62rem){" in style


def test_each_file_is_named_by_its_bytes() -> None:
    other = look_files_of(Theme(accent="#a8281f"), "Anvil")
    assert other.script.path == FILES.script.path
    assert other.style.path != FILES.style.path
