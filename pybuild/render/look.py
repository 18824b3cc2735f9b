"""The default look as templates see it: `theme`, `search`, `navigation()`, `sections()`, `look()`, `asset()`, `t()`.

Owns these names, and which files a page uses of the look. Knows no page but the one in work.
Source: docs/look.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pybuild.config.languages import language_of
from pybuild.diagnostics import Diagnostic, Location
from pybuild.look.files import ORIGIN, LookFile, LookFiles, accents, look_files
from pybuild.look.strings import ENGLISH, is_rtl, search_texts
from pybuild.near_words import Words, words_of
from pybuild.render.documents import DocumentIndex
from pybuild.render.links import Asset
from pybuild.render.nav_nodes import NavNode
from pybuild.render.user_code import Stop
from pybuild.source.languages import Translations
from pybuild.source.navigation import Node
from pybuild.urls import nfc, path_fault

NAVIGATION = "default/navigation.html"
_MARK = re.compile("\ue000(\\d+)\ue001")
_RENDERED = 512  # trees that a process remembers


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """A link of the header."""

    label: str
    url: str  # as browsers are given it
    name: str = ""  # of the collection it leads to


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A language in the menu of languages."""

    code: str  # BCP 47
    label: str  # in itself
    url: str  # of the page in it, as browsers are given it
    current: bool
    title: str  # of the site in it


class ThemeView:
    """What templates see as `theme`. Who reads the address of a file has it published."""

    def __init__(self, library: DocumentIndex) -> None:
        self._library = library
        self._config = library.links.config
        self._theme = self._config.settings.theme
        self._assets: dict[str, Asset] = {}

    @cached_property
    def _files(self) -> LookFiles:
        return look_files(self._config)

    def used(self, file: LookFile) -> str:
        """The address of a file of the look, which the page in work uses."""
        if file.path not in self._assets:
            self._assets[file.path] = Asset(file.path, self._config.root / ORIGIN)
        self._library.used[self._assets[file.path]] = None
        return self._library.links.href("/" + file.path)

    @property
    def style(self) -> str:
        """The whole style in one file."""
        return self.used(self._files.style)

    def styles(self, html: str) -> list[str]:
        """The style that a page with this text needs: one file, and another where few pages need more."""
        return [self.used(file) for file in self._files.styles(html)]

    @property
    def parts(self) -> str:
        """The style of code, notes, tabs and search alone."""
        return self.used(self._files.parts)

    @property
    def script(self) -> str:
        return self.used(self._files.script)

    def script_for(self, html: str) -> str:
        """The script that a page with this text needs."""
        return self.used(self._files.script_for(html))

    @property
    def search_script(self) -> str:
        return self.used(self._files.search)

    @property
    def search_style(self) -> str:
        return self.used(self._files.search_style)

    @property
    def icon(self) -> str:
        """An icon with the first letter of the title; "" where the site has one."""
        return "" if self._has_icon else self.used(self._files.icon)

    @cached_property
    def _has_icon(self) -> bool:
        return (self._config.root / "public" / "favicon.ico").is_file()

    @property
    def logo(self) -> str:
        return self._address(self._theme.logo)

    @property
    def css(self) -> list[str]:
        return [self._address(address) for address in self._theme.css]

    @property
    def links(self) -> list[HeaderLink]:
        return [
            HeaderLink(self._in_words(link.label), self._address(self._in_language(link.url)))
            for link in self._theme.links
        ]

    def _in_words(self, written: str) -> str:
        """A text of the settings as the strings of the language of the page have it."""
        said = self._config.settings.languages.known.get(self._library.locale)
        return said.strings.get(written, written) if said else written

    def _in_language(self, url: str) -> str:
        """A page of the site in the language of the page in work, where it has it."""
        other = (self._library.config.prefix + url).rstrip("/")
        return other if url.startswith("/") and other in self._library.links.pages else url

    @property
    def footer(self) -> str:
        return self._in_words(self._theme.footer)

    @property
    def toggle(self) -> bool:
        return self._theme.toggle

    @cached_property
    def colours(self) -> Mapping[str, str]:
        """What browsers may colour their frame with, by scheme."""
        return {"light": "#ffffff", "dark": "#12161a"}

    @cached_property
    def accents(self) -> Mapping[str, str]:
        """The accent as it can be read, by scheme."""
        return dict(zip(("light", "dark"), accents(self._theme), strict=True))

    def _address(self, written: str) -> str:
        if written.startswith("/") and not written.startswith("//"):
            return self._library.links.href(written)
        return written


class SearchView:
    """What templates see as `search`; `url` is "" where there is no search."""

    def __init__(self, library: DocumentIndex, theme: ThemeView) -> None:
        self._library = library
        self._theme = theme
        self._config = library.links.config
        self._texts: dict[str, str] = {}  # by language

    @property
    def engine(self) -> str:
        return self._config.settings.search.engine or "titles"

    @property
    def url(self) -> str:
        """The address of the index."""
        path = self._library.config.prefix + "/search.json"
        return "" if self.engine == "none" else self._library.links.href(path)

    @property
    def script(self) -> str:
        return self._theme.search_script

    @property
    def style(self) -> str:
        """The style of the dialog, which the script asks for."""
        return self._theme.search_style

    @property
    def pagefind(self) -> str:
        """The address of Pagefind's script; "" where titles are searched."""
        return self._library.links.href("/pagefind/pagefind.js") if self.engine == "pagefind" else ""

    @property
    def texts(self) -> str:
        """What the script says, as JSON."""
        locale = self._library.words_locale
        if locale not in self._texts:
            self._texts[locale] = search_texts(self._library.words)
        return self._texts[locale]


class Look:
    """The names that the default look adds to an environment."""

    def __init__(self, library: DocumentIndex, translations: Translations) -> None:
        self._library = library
        self._translations = translations
        self._config = library.links.config
        self._trees: dict[tuple[str, str], list[str]] = {}
        self._public: dict[Path, Words] = {}  # by folder
        self.theme = ThemeView(library)
        self.search = SearchView(library, self.theme)

    def names(self) -> dict[str, Any]:
        """The globals of templates."""
        return {
            "asset": self.asset,
            "home": self.home,
            "is_rtl": self.is_rtl,
            "languages": self.languages,
            "look": self.look,
            "navigation": self.navigation,
            "search": self.search,
            "sections": self.sections,
            "t": self.text,
            "theme": self.theme,
        }

    def text(self, name: str, value: object = None, *, language: str = "") -> str:
        """The words of the look in the language of the page, or in `language`. Raises `Stop` for a name without words."""
        try:
            locale = self._library.locale_of(language) if language else None
            return self._library.words(name, value, locale=locale)
        except LookupError:
            known, default = self._config.settings.languages.known, self._config.site.language
            own = known[default].strings if default in known else ()
            hint = words_of((*ENGLISH, *own)).hint(name) or f"write it below [languages.{default}.strings]"
            raise Stop(Diagnostic("template-error", f't("{name}") has no words', Location(), hint)) from None

    def home(self) -> str:
        """The address of the home page in the language of the page, else of the site; "" without one."""
        url = self._nearest(self._library.locale) or self._nearest("")
        return self._library.links.href(url) if url else ""

    def is_rtl(self, language: str) -> bool:
        """Whether a language is written from right to left."""
        said = self._config.settings.languages.known.get(language)
        return said.dir == "rtl" if said and said.dir else is_rtl(language)

    @jinja2.pass_context
    def languages(self, context: jinja2.runtime.Context) -> list[LanguageLink]:
        """The languages of the site with the page in each; nothing where there is but one."""
        codes = self._config.languages
        if len(codes) < 2:
            return []
        page, locale = context.get("page"), self._library.locale
        versions = {
            version.locale: version.url for version in self._translations.of(getattr(page, "path", ""))
        }
        found = []
        for code in codes:
            own = code if code != codes[0] else ""
            url = versions.get(own) or self._nearest(own)
            if url:
                said, href = language_of(self._config.settings, code), self._library.links.href(url)
                title = said.title or self._config.site.title
                found.append(LanguageLink(code, said.label, href, own == locale, title))
        return found if len(found) > 1 else []

    def _nearest(self, locale: str) -> str:
        """The home page of a language; "" where it has none."""
        home = f"/{locale}"
        return home if home in self._library.links.pages else ""

    def markdown(self, written: object) -> Markup:
        """Markdown as HTML, by the settings of the site."""
        return Markup(self._library.markup(str(written)))

    def sections(self) -> list[HeaderLink]:
        """The collections with their pages."""
        href, lists = self._library.links.href, self._library.lists
        known = lists.sections(self._library.locale)
        return [HeaderLink(s.label, href(s.url), s.name.partition("@")[0]) for s in known]

    def look(self) -> Markup:
        """The tags that bring code, notes, tabs and search into a layout of the site's own."""
        said = f"{self._library.words('copy')}|{self._library.words('copied')}"
        lines = [
            Markup('<link rel="stylesheet" href="{}">').format(self.theme.parts),
            Markup('<script src="{}" data-pb-copy="{}"></script>').format(self.theme.script, said),
        ]
        return Markup("\n").join(lines)

    def asset(self, path: str) -> str:
        """The address of a copy of a public file that may be kept for ever. Raises `Stop`."""
        name = nfc(path.strip("/"))
        file = self._config.root / "public" / name
        if path_fault(name) or not file.is_file():
            folder, public = file.parent, self._config.root / "public"
            if folder not in self._public:
                beside = folder.iterdir() if folder.is_dir() else ()
                names = (one.relative_to(public).as_posix() for one in beside if one.is_file())
                self._public[folder] = Words(names)
            hint = self._public[folder].hint(name) or "write its path below public/"
            message = f'asset("{path}") names no file of public/'
            raise Stop(Diagnostic("template-error", message, Location(), hint))
        stem, dot, suffix = name.rpartition(".") if "." in name.rpartition("/")[2] else (name, "", "")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
        copy = f"{stem}.{digest}{dot}{suffix}"
        self._library.used[Asset(copy, file)] = None
        return self._library.links.href("/" + copy)

    @jinja2.pass_context
    def navigation(self, context: jinja2.runtime.Context) -> Markup:
        """The tree of the collection of the page, the page marked; "" for a page of none."""
        page = context.get("page")
        around = getattr(page, "around", None)
        name = around.collection if around else ""
        if not name or not self._library.lists.has_tree(name):
            return Markup("")
        view = self._library.lists.navigation(name).view(page.path)
        if not view.nodes:
            return Markup("")
        opened = "\n".join(sorted(view.open))
        key = (name, view.digest + opened)
        if key not in self._trees:
            if len(self._trees) >= _RENDERED:
                self._trees.clear()
            self._trees[key] = self._rendered(context.environment, name, view.nodes, view.open)
        parts = [*self._trees[key]]
        here = self._library.links.href(page.path)
        parts[1::2] = [' aria-current="page"' if url == here else "" for url in parts[1::2]]
        return Markup("".join(parts))

    def _rendered(
        self, environment: jinja2.Environment, name: str, nodes: tuple[Node, ...], opened: frozenset[str]
    ) -> list[str]:
        """The tree in pieces; each second one is the URL of the node whose mark belongs there."""
        urls: list[str] = []

        def mark(node: Node, what: str) -> Markup:
            if what == "open":
                return Markup(" open") if (node.url or node.title) in opened else Markup("")
            urls.append(self._library.links.href(node.url) if node.url else "")
            return Markup(f"\ue000{len(urls) - 1}\ue001")

        owner = self._library.collections[name]
        shown = [NavNode(node, owner, mark) for node in nodes]
        pieces = _MARK.split(environment.get_template(NAVIGATION).render(nodes=shown))
        return [urls[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces)]
