"""The files of the default look: style, script and icon, each named by a digest of its bytes.

Owns their bytes and addresses. Knows no page. Source: docs/look.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from html import escape
from importlib.util import find_spec

from pygments.styles import get_all_styles
from rjsmin import jsmin

from pybuild.config.loader import Config
from pybuild.config.schema import Theme
from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.files import shipped_templates
from pybuild.look.colours import ACCENT, code_css, full, is_style, readable
from pybuild.look.strings import text

FOLDER = "assets/pybuild"
IMMUTABLE = (("Cache-Control", "public, max-age=31536000, immutable"),)
ORIGIN = "[look]"
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.S)
_AROUND_SIGNS = re.compile(r"\s*([{};,>~]|(?<=[\w-]):(?=\s))\s*")
_CLASS_OF_HTML = re.compile(r'class=(?<!\wclass=)"([^"]*)"')  # begins with plain text, which is found fast
_CLASS_OF_STYLE = re.compile(r"(?m)(?:^|, )\.([a-z][\w-]*)")  # where a selector begins


@dataclass(frozen=True, slots=True)
class LookFile:
    """One file of the look."""

    path: str  # in the output
    body: bytes


@dataclass(frozen=True, slots=True)
class LookFiles:
    """All files of the look of one site."""

    style: LookFile  # of whole pages
    page: LookFile  # what of it every page needs
    more: LookFile  # the rest of it
    parts: LookFile  # of code, notes, tabs and search alone
    script: LookFile  # all of it
    page_script: LookFile  # without tabs
    search: LookFile
    search_style: LookFile
    icon: LookFile
    classes_of_more: frozenset[str]

    @property
    def by_path(self) -> dict[str, bytes]:
        every = (getattr(self, field.name) for field in fields(self))
        return {file.path: file.body for file in every if isinstance(file, LookFile)}

    def styles(self, html: str) -> tuple[LookFile, ...]:
        """What a page needs whose text is `html`, by the classes in it."""
        named = {name for found in set(_CLASS_OF_HTML.findall(html)) for name in found.split()}
        return (self.page,) if named.isdisjoint(self.classes_of_more) else (self.page, self.more)

    def script_for(self, html: str) -> LookFile:
        """The script that such a page needs."""
        return self.script if "data-pb-tabs" in html else self.page_script


def look_files(config: Config) -> LookFiles:
    """The files of a site's look."""
    return look_files_of(config.settings.theme, config.site.title)


def feed_style(config: Config) -> LookFile:
    """The style of the feeds of a language, which says what a feed is."""
    locale = config.prefix.strip("/")
    said = text(config.site.language, "feed_said").replace("\\", "").replace('"', "'")
    css = f'{_accent_css(config.settings.theme)}:root{{--pb-said:"{said}"}}\n' + _squeezed(_read("feed.css"))
    return _named(f"feed-{locale}" if locale else "feed", "css", css)


@lru_cache(maxsize=4)
def look_files_of(theme: Theme, title: str) -> LookFiles:
    """The files of a look with these settings."""
    accent = _accent_css(theme)
    parts = _read("parts.css") + code_css(theme.code.light, theme.code.dark)
    page, blocks, lists = accent + _read("base.css") + parts, _read("blocks.css"), _read("lists.css")
    return LookFiles(
        style=_named("whole", "css", _squeezed(page + blocks + lists)),
        page=_named("look", "css", _squeezed(page)),
        more=_named("more", "css", _squeezed(blocks + lists)),
        parts=_named("parts", "css", _squeezed(accent + parts + blocks)),
        script=_named("whole", "js", jsmin(_read("tabs.js") + _read("look.js"))),
        page_script=_named("look", "js", jsmin(_read("look.js"))),
        search=_named("search", "js", jsmin(_read("search.js"))),
        search_style=_named("search", "css", _squeezed(_read("search.css"))),
        icon=_named("icon", "svg", icon_svg(title, theme.accent)),
        classes_of_more=frozenset(_CLASS_OF_STYLE.findall(blocks + lists)),
    )


def _read(name: str) -> str:
    return (shipped_templates() / "assets" / name).read_text("utf-8")


def _squeezed(css: str) -> str:
    """Style without what browsers do not read. Precondition: ours, in which no text has such signs."""
    lines = _COMMENT.sub("", css).splitlines()
    return "\n".join(
        _AROUND_SIGNS.sub(r"\1", line.strip()).replace(";}", "}") for line in lines if line.strip()
    )


def _named(name: str, suffix: str, text: str) -> LookFile:
    body = text.encode()
    return LookFile(f"{FOLDER}/{name}.{hashlib.sha256(body).hexdigest()[:10]}.{suffix}", body)


def accents(theme: Theme) -> tuple[str, str]:
    """The accent as it can be read in the light and in the dark scheme."""
    accent = full(theme.accent or ACCENT)
    return readable(accent, "light"), readable(accent, "dark")


def _accent_css(theme: Theme) -> str:
    light, dark = accents(theme)
    return (
        f":root{{--pb-accent-set:{theme.accent or ACCENT};--pb-accent:light-dark({light},{dark});"
        f"--pb-wash:light-dark(color-mix(in srgb,{light} 9%,#fff),color-mix(in srgb,{dark} 15%,#12161a))}}\n"
    )


def icon_svg(title: str, accent: str) -> str:
    """An icon with the first letter of the title."""
    letter = escape(next((char for char in title if char.isalnum()), "•").upper())
    ground = readable(full(accent or ACCENT), "light")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{ground}"/>'
        '<text x="16" y="22.5" text-anchor="middle" font-family="system-ui,sans-serif" font-size="19" '
        f'font-weight="700" fill="#fff">{letter}</text></svg>\n'
    )


def look_faults(config: Config) -> Iterator[Diagnostic]:
    """What is wrong with the settings of the look. Finding: `config-error`."""
    for scheme, name in (
        ("light", config.settings.theme.code.light),
        ("dark", config.settings.theme.code.dark),
    ):
        if name and not is_style(name):
            hint = (
                did_you_mean(name, get_all_styles()) or "https://pygments.org/styles/ shows which there are"
            )
            message = f'theme.code.{scheme} is no style of Pygments: "{name}"'
            yield Diagnostic("config-error", message, _line_of(name, config), hint)
    modules = ("pagefind", "pagefind_bin_extended")
    if config.settings.search.engine == "pagefind" and not all(map(find_spec, modules)):
        message = 'search.engine is "pagefind", which is not installed'
        hint = 'run: pip install "pybuild-export[search]"'
        yield Diagnostic("config-error", message, _line_of("pagefind", config), hint)


def _line_of(value: str, config: Config) -> Location:
    lines = enumerate((config.root / config.file).read_text("utf-8-sig", "replace").splitlines(), 1)
    return Location(
        config.file, next((n for n, line in lines if f'"{value}"' in line or f"'{value}'" in line), None)
    )
