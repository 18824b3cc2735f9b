"""Jinja2 as sites see it: escaped always, strict about names, with the site's own functions.

Owns the environment and the placing of template errors. Knows no route and no metadata.
Source: Jinja2 3.1, "API" and "Sandbox"; templates are the site author's code and trusted as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import jinja2.bccache
from jinja2.debug import rewrite_traceback_stack
from markupsafe import Markup

from pybuild.config.loader import Config
from pybuild.config.schema import Site
from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.engines.base import Expired
from pybuild.files import shipped_templates
from pybuild.look.strings import ENGLISH
from pybuild.markdown.code import stylesheet
from pybuild.near_words import words_of
from pybuild.render.data import DataFiles, DataView, set_data
from pybuild.render.documents import DocumentCollection, DocumentIndex, collection
from pybuild.render.extensions import Extensions
from pybuild.render.look import Look
from pybuild.render.user_code import SiteCode, Stop, keeps_page
from pybuild.source.languages import NO_TRANSLATIONS, Translations
from pybuild.source.template_files import EXTENSIONS, encoding_fault, syntax_fault
from pybuild.urls import is_external, is_safe

_DIRECTIVE = re.compile(r"%-?[a-zA-Z%]")
_UNDEFINED = re.compile(r"'([^']+)' is undefined")
_LACKING = re.compile(r"'pybuild(?:\.\w+)+\.(\w+) object' has no attribute(?= '(\w+)')")
_GIVEN = {"Document": "document", "PageView": "page", "Site": "site"}  # types by the name templates know


def site_loader(root: Path) -> jinja2.BaseLoader:
    """Find templates by the names that sites use."""
    loaders: list[jinja2.BaseLoader] = [
        jinja2.PrefixLoader({"app": _Utf8Loader(root, "app")}),
        _Utf8Loader(root, "templates"),
        jinja2.FileSystemLoader(str(shipped_templates())),
    ]
    return jinja2.ChoiceLoader(loaders)


class Templates:
    """One environment a language. Names: those of `templates/`, `app/…` for pages and layouts, then our own."""

    def __init__(
        self,
        config: Config,
        library: DocumentIndex,
        code: SiteCode,
        translations: Translations = NO_TRANSLATIONS,
        extensions: Extensions | None = None,
    ) -> None:
        self._config = config
        self._data = DataFiles(config.root)
        set_data(self._data)
        self._code = code
        self._library = library
        self._look = Look(library, translations)
        self._extensions = extensions
        self._environments: dict[str, jinja2.Environment] = {}

    @property
    def environment(self) -> jinja2.Environment:
        """The environment of the language of the page: its globals are also those of what a template imports."""
        locale = self._library.locale
        if locale not in self._environments:
            changed = self._extensions is not None and self._extensions.has("templates")
            made = _Environment(
                loader=site_loader(self._config.root),
                autoescape=True,
                undefined=jinja2.StrictUndefined,
                auto_reload=False,
                cache_size=-1,
                extensions=EXTENSIONS,
                bytecode_cache=None if changed else _SHIPPED,
            )
            made.globals.update(self._globals(), **self._look.names())
            filters = {
                "date": self._date,
                "safe_url": safe_url,
                "absolute": self._absolute,
                "markdown": self._look.markdown,
            }
            made.filters.update(filters)
            self._environments[locale] = self._extensions.templates(made) if self._extensions else made
        return self._environments[locale]

    @property
    def text_site(self) -> Site:
        """The site in the language of the text in work."""
        return self._library.text_config.site

    def href(self, url: str) -> str:
        """A decoded URL as browsers are given it."""
        return self._library.links.href(url)

    def _globals(self) -> dict[str, Any]:
        settings, prefix = self._config.settings, self._library.config.prefix
        return {
            "site": self._library.config.site,
            "url_for": self.href,
            "has_page": self._library.links.pages.__contains__,
            "collection": collection,
            "data": DataView(self._data),
            "collections": CollectionsView(self._library),
            "outputs": {
                "feed": prefix + "/rss.xml",
                "sitemap": "/sitemap.xml" if settings.sitemap.enabled else "",
                "llms": prefix + "/llms.txt" if settings.llms.enabled else "",
            },
            "env": self._config.public_env,
            "highlight_css": lambda: Markup(stylesheet()),
        }

    def _date(self, value: Any, pattern: str = "%Y-%m-%d") -> str:
        """A date with the names of months and days in the language of the page."""
        words = self._library.words
        return format_date(value, pattern, words("months").split(), words("days").split())

    def _absolute(self, href: str) -> str:
        """`/a` → `https://a.example/a`; an address with a host stays."""
        return href if is_external(href) else self._config.site.origin + href

    def render(
        self,
        name: str,
        context: Mapping[str, Any],
        *,
        blame: Location,
        environment: jinja2.Environment | None = None,
    ) -> str:
        """Render one template. Raises `Stop` with `template-error`; `blame` is the place when none is known."""
        environment = environment or self.environment
        try:
            return environment.get_template(name).render(context)
        except Stop as stop:  # of what templates are given; only the template knows the line
            rewrite_traceback_stack()
            at = self._code.raised_at(stop, blame)
            placed = (f if f.location.file else replace(f, location=at) for f in stop.findings)
            raise Stop(*placed, keeps=stop.keeps) from None
        except (Expired, KeyboardInterrupt, GeneratorExit):
            raise
        except jinja2.TemplateSyntaxError as fault:
            file = self._code.relative(fault.filename or "") or blame.file
            raise Stop(syntax_fault(fault, file)) from None
        except BaseException as fault:  # what a value from load() does may also be sys.exit() or redirect()
            rewrite_traceback_stack()  # Jinja does so for an Exception only
            known = {**environment.globals, **context}
            made = self._runtime_fault(fault, name, known, blame)
            raise Stop(made, keeps=keeps_page(fault)) from None

    def _runtime_fault(
        self, fault: BaseException, name: str, known: Mapping[str, Any], blame: Location
    ) -> Diagnostic:
        made = self._code.fault(fault, "template-error", blame, f"the template {name}")
        if made.code != "template-error":
            return made
        if made.location.file.endswith(".py"):
            return Diagnostic("handler-error", made.message, made.location, made.hint, made.notes)
        message = _LACKING.sub(
            lambda found: f"{_GIVEN.get(found[1], found[1])} has no attribute", made.message
        )
        return Diagnostic("template-error", message, made.location, self._hint(fault, known))

    def _hint(self, fault: BaseException, known: Mapping[str, Any]) -> str:
        if isinstance(fault, jinja2.TemplatesNotFound | jinja2.TemplateNotFound):
            near = words_of(tuple(self.environment.list_templates())).hint(str(fault.name))
            return near or "make the file below templates/, or correct the name"
        if isinstance(fault, jinja2.UndefinedError):
            return self._near(str(fault), known) or (
                "correct the name, pass it from load(), or write {% if name is defined %}"
            )
        return "correct the template at this line"

    def _near(self, fault: str, known: Mapping[str, Any]) -> str:
        """The known name that one which is not may have meant."""
        if found := _UNDEFINED.search(fault):  # short names are near to too many others
            return did_you_mean(found[1], known) if len(found[1]) > 3 else ""
        if found := _LACKING.search(fault):
            value = known.get(_GIVEN.get(found[1], ""))
            return did_you_mean(found[2], [name for name in dir(value) if not name.startswith("_")])
        return ""


class _Environment(jinja2.Environment):
    """Gives a template its globals as one dict: each page and each include copies them, which a chain makes slow."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


class _ShippedCode(jinja2.BytecodeCache):
    """Our own templates, compiled once a process: only an extension could make other code of them."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        assert bucket.code is not None, "what is kept was compiled"
        if Path(bucket.code.co_filename).is_relative_to(shipped_templates()):
            self._codes[bucket.key, bucket.checksum] = bucket.code


_SHIPPED = _ShippedCode()


class CollectionsView(Mapping[str, DocumentCollection]):
    """What templates see as `collections`: each by its name, in the language of the page."""

    def __init__(self, library: DocumentIndex) -> None:
        self._library = library

    def __getitem__(self, name: str) -> DocumentCollection:
        try:
            return self._library.collection(name)
        except LookupError as unknown:
            raise KeyError(name) from unknown

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._library.collections if "@" not in name)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Utf8Loader(jinja2.FileSystemLoader):
    """Templates from a folder of the site. Raises `Stop` with `encoding-error` for one that is not UTF-8."""

    def __init__(self, root: Path, folder: str) -> None:
        super().__init__(str(root / folder), encoding="utf-8-sig")  # a byte order mark is no content
        self._root = root
        self._folder = folder

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError:
            file = self._root / self._folder / template
            raise Stop(_encoding_fault(file.read_bytes(), f"{self._folder}/{template}")) from None


def _encoding_fault(content: bytes, file: str) -> Diagnostic:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as fault:
        return encoding_fault(file, fault)
    raise AssertionError(f"{file} was read twice and changed between")


def format_date(
    value: Any,
    pattern: str = "%Y-%m-%d",
    months: Sequence[str] = ENGLISH["months"].split(),
    days: Sequence[str] = ENGLISH["days"].split(),
) -> str:
    """Format a date, whatever the locale. Beyond strftime: `%-d`, `%-m`, `%-H`. "" for None."""
    if value is None or value == "":
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(moment, date), f"date takes a date, not {type(value).__name__}"
    month, day = months[moment.month - 1], days[moment.weekday()]
    words = {"%B": month, "%b": month[:3], "%A": day, "%a": day[:3], "%Y": f"{moment.year:04}"}
    words |= {"%d": f"{moment.day:02}", "%m": f"{moment.month:02}"}
    return _DIRECTIVE.sub(lambda found: words.get(found[0]) or _directive(moment, found[0], words), pattern)


def _directive(moment: date, directive: str, words: Mapping[str, str]) -> str:
    if directive.startswith("%-"):
        return _directive(moment, "%" + directive[2:], words).lstrip("0") or "0"
    return words.get(directive) or moment.strftime(directive)


def safe_url(value: Any) -> str:
    """Let only harmless schemes into an href: `javascript:…` becomes `#`."""
    return str(value) if is_safe(str(value)) else "#"
