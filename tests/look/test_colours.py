"""Accents can be read on the grounds of both schemes, whatever a site chooses."""

from __future__ import annotations

import pytest

from pybuild.look.colours import code_css, contrast, is_style, palette, readable


@pytest.mark.parametrize("colour", ["#ff0", "#000", "#fff", "#0b6a75", "#FF5500", "#777777"])
def test_an_accent_can_be_read(colour: str) -> None:
    assert contrast(readable(colour, "light"), "#ffffff") >= 4.5
    assert contrast(readable(colour, "dark"), "#12161a") >= 4.5


def test_an_accent_that_can_be_read_stays() -> None:
    assert (readable("#0b6a75", "light"), readable("#8AB8F5", "dark")) == ("#0b6a75", "#8ab8f5")


def test_contrast_is_that_of_wcag() -> None:
    assert (round(contrast("#000000", "#ffffff")), round(contrast("#777777", "#ffffff"), 2)) == (21, 4.48)


def test_styles_of_pygments_colour_both_schemes() -> None:
    assert (is_style("friendly"), is_style("frendly")) == (True, False)
    day, night = palette("friendly", "light")[0]["k"], palette("nord", "dark")[0]["k"]
    assert (day, night) == ("#007020", "#81a1c1")
    assert f"{{color:light-dark({day},{night})}}" in code_css("friendly", "nord")
