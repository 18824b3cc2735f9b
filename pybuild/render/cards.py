"""Cards: pictures of a page's title for those who share its address, from `default/card.svg`.

Owns what the template sees, how text is broken into lines, and what is said of characters that no font has. Drawn by resvg
with the fonts that are shipped and those of the settings, never with fonts of the machine; named by what goes in.
Source: docs/pictures.md, "Cards".
"""

from __future__ import annotations

import contextlib
import hashlib
import pkgutil
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import shipped_templates
from pybuild.look.files import FOLDER, IMMUTABLE, accents
from pybuild.publish import Stage
from pybuild.records import File
from pybuild.render.pictures import PICTURES
from pybuild.render.templates import Templates
from pybuild.render.user_code import Stop

CARD = "default/card.svg"
WIDTH, HEIGHT = 1200, 630


@dataclass(frozen=True, slots=True)
class Card:
    """The picture of one page."""

    file: File
    findings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class _Font:
    """The widths of the characters that a font has, in parts of its size."""

    family: str
    weight: int
    widths: dict[int, float]


class Cards:
    """The cards of the pages of one process."""

    def __init__(self, config: Config, templates: Templates, stage: Stage) -> None:
        self._config, self._templates, self._stage = config, templates, stage

    @cached_property
    def _files(self) -> list[Path]:
        shipped = sorted((shipped_templates() / "fonts").glob("*.ttf"))
        return [*(self._config.root / name for name in self._config.settings.cards.fonts), *shipped]

    @cached_property
    def _fonts(self) -> list[_Font]:
        return [_read(file, self._config.file) for file in self._files]

    @cached_property
    def _said(self) -> str:
        digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in self._files)
        return f"{version('resvg-py')} {' '.join(digests)}"

    def card(self, title: str, description: str, file: str) -> Card:
        """The card of a page that is made of a file. Raises `Stop`. Finding: `unknown-export`, of missing characters."""
        families = list(dict.fromkeys(font.family for font in self._fonts))
        values = {
            "title": title,
            "description": description,
            "accent": accents(self._config.settings.theme)[0],
            "family": ", ".join(f"'{family}'" for family in families),
            "lines": self._lines,
        }
        svg = self._templates.render(CARD, values, blame=Location(f"templates/{CARD}"))
        name = hashlib.sha256(f"{self._said}\n{svg}".encode()).hexdigest()[:10]
        known = {code for font in self._fonts for code in font.widths}
        odd = (
            c
            for c in dict.fromkeys(title + description + self._config.site.title)
            if ord(c) not in known and unicodedata.category(c)[0] not in "CZ"
        )
        missing = "".join(odd)
        return Card(self._drawn(f"{FOLDER}/card.{name}.png", svg), tuple(_lacking(missing, file)))

    def _drawn(self, path: str, svg: str) -> File:
        for folder in (self._stage.tree, self._stage.output.out):
            with contextlib.suppress(OSError):
                return self._staged(path, (folder / path).read_bytes())
        draw: Callable[..., Any] = pkgutil.resolve_name("resvg_py:svg_to_bytes")
        try:
            png = draw(svg_string=svg, skip_system_fonts=True, font_files=[str(file) for file in self._files])
        except ValueError as fault:
            message = f"the card cannot be drawn: {fault}"
            raise Stop(
                Diagnostic("template-error", message, Location(f"templates/{CARD}"), "correct the SVG")
            ) from None
        return self._staged(path, bytes(png))

    def _staged(self, path: str, body: bytes) -> File:
        digest, size = self._stage.write(path, body)
        return File(path, PICTURES, digest, size, headers=IMMUTABLE)

    def _width(self, text: str, size: float, weight: int) -> float:
        """The width of a text in pixels; of what no font has, as wide as it is high."""
        near = sorted(self._fonts, key=lambda font: abs(font.weight - weight))
        return size * sum(next((f.widths[ord(c)] for f in near if ord(c) in f.widths), 1.0) for c in text)

    def _lines(self, text: str, size: float, width: float, weight: int = 700) -> list[str]:
        """A text in lines of at most `width` pixels, broken between words, else within them."""
        rows: list[str] = []
        for word in _words(text):
            if rows and self._width(rows[-1] + word.rstrip(), size, weight) <= width:
                rows[-1] += word
                continue
            rows.append("")
            for char in word:
                if rows[-1] and self._width(rows[-1] + char, size, weight) > width and not char.isspace():
                    rows.append("")
                rows[-1] += char
        return [row.strip() for row in rows if row.strip()]


def _words(text: str) -> Iterator[str]:
    """The words of a text with the spaces behind them; characters that are written without spaces alone."""
    word = ""
    for char in text:
        word += char
        if char.isspace() or unicodedata.east_asian_width(char) in "WF":
            yield word
            word = ""
    yield word


def _lacking(missing: str, file: str) -> Iterator[Diagnostic]:
    if missing:
        shown = " ".join(missing[:8]) + (" …" if len(missing) > 8 else "")
        message = f"the card of this page lacks characters that no font of it has: {shown}"
        hint = 'name a font that has them, such as [cards] fonts = ["fonts/NotoSansJP.ttf"]'
        yield warning("unknown-export", message, Location(file), hint)


def _read(file: Path, settings: str) -> _Font:
    """Read a font. Raises `Stop` with `config-error` for what is none."""
    try:
        font: Any = pkgutil.resolve_name("fontTools.ttLib:TTFont")(str(file), lazy=True, fontNumber=0)
        metrics, size = font["hmtx"], font["head"].unitsPerEm
        widths = {code: metrics[name][0] / size for code, name in font.getBestCmap().items()}
        names = font["name"]
        family = str(names.getDebugName(16) or names.getDebugName(1) or file.stem)
        return _Font(family, int(font["OS/2"].usWeightClass), widths)
    except Exception as fault:  # of the library, which has many
        message = f"cards.fonts names {file.name}, which is no font: {fault}"
        raise Stop(
            Diagnostic("config-error", message, Location(settings), "name a TTF or OTF file")
        ) from None
