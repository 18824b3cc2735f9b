"""Colours of the default look: readable shades of an accent, and palettes of code.

Owns the arithmetic of contrast. Knows no file. Sources: WCAG 2.2 §1.4.3 and "relative luminance"; Pygments' styles.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from functools import cache

from pygments.styles import get_style_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from pybuild.markdown.code import BACKGROUNDS, CLASSES, DARK, LIGHT

ACCENT = "#0b6a75"
_ENOUGH = {"light": 4.6, "dark": 6.5}  # more than AA asks, as tints lie below some text and light glares less
_GROUNDS = {
    "light": "#f3f4f1",
    "dark": "#1c2228",
}  # the fills of the look, which are nearer to text than its pages are


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, from 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def full(colour: str) -> str:
    """`#abc` → `#aabbcc`."""
    digits = colour.removeprefix("#").lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def readable(colour: str, scheme: str) -> str:
    """The shade of a colour nearest to it that can be read on the grounds of a scheme, `light` or `dark`."""
    ground = _GROUNDS[scheme]
    red, green, blue = (int(full(colour)[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    step = -0.01 if scheme == "light" else 0.01
    shade = full(colour)
    while contrast(shade, ground) < _ENOUGH[scheme] and 0 <= light + step <= 1:
        light += step
        shade = "#" + "".join(
            f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, light, saturation)
        )
    return shade


def is_style(name: str) -> bool:
    """Whether Pygments knows a style of that name."""
    try:
        get_style_by_name(name)
    except ClassNotFound:
        return False
    return True


@cache
def palette(name: str, scheme: str) -> tuple[Mapping[str, str], str]:
    """The colour of each class of code, and the background; `""` is our own for the scheme."""
    if not name:
        return (LIGHT if scheme == "light" else DARK), BACKGROUNDS[scheme]
    style = get_style_by_name(name)
    ink = style.style_for_token(Token)["color"] or ("1f2328" if scheme == "light" else "e6edf3")
    found = {"": "#" + ink}
    for token, short in CLASSES.items():
        if short not in found:
            colour = style.style_for_token(token)["color"]
            found[short] = "#" + (colour or ink)
    return found, style.background_color


def code_css(light: str, dark: str) -> str:
    """The colours of `.highlight` for both schemes."""
    (day, paper), (night, slate) = palette(light, "light"), palette(dark, "dark")
    pairs: dict[tuple[str, str], list[str]] = {}
    for name in (*LIGHT, *(name for name in (*day, *night) if name not in LIGHT)):
        if name:
            pair = day.get(name, day[""]), night.get(name, night[""])
            pairs.setdefault(pair, []).append(f".highlight .{name}")
    ground = f"{{--pb-c-back:light-dark({paper},{slate})}}" if light or dark else ""
    rules = [f":root{ground}"] if ground else []
    rules.append(f".highlight{{color:light-dark({day['']},{night['']});background:var(--pb-c-back)}}")
    rules += [f"{','.join(names)}{{color:light-dark({a},{b})}}" for (a, b), names in pairs.items()]
    rules.append(".highlight .gh,.highlight .gs{font-weight:600}.highlight .ge{font-style:italic}")
    return "\n".join(rules) + "\n"
