"""What rendering works with: one set a process, made once.

Owns the context of a job and the writing of its files, with the check that no secret leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.metadata.gaps import HeadWithGaps
from pybuild.publish.os_errors import publish_error
from pybuild.publish.stage import Stage
from pybuild.records import File, Headers, Link
from pybuild.render.cards import Cards
from pybuild.render.documents import Document, DocumentIndex
from pybuild.render.job import PageJob
from pybuild.render.pictures import Pictures
from pybuild.render.templates import Templates
from pybuild.render.user_code import SiteCode, Stop
from pybuild.render.written import lines_in, spellings
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.tree import Route, Surroundings
from pybuild.source.languages import Translations, without_prefix
from pybuild.source.secrets import leak_finding, leak_in
from pybuild.source.site import Site
from pybuild.urls import absolute
from pybuild.web import NotFound


@dataclass
class RenderContext:
    """Everything a job needs but the job itself."""

    site: Site
    stage: Stage
    code: SiteCode
    library: DocumentIndex
    templates: Templates
    root: Surroundings = Surroundings()  # of the built-in 404 page
    taken: frozenset[str] = frozenset()  # output paths of the site's own that a variant gives way to
    sent: set[bytes] = field(default_factory=set)  # digests of links of templates that were reported already
    rooted: dict[tuple[str, ...], dict[str, tuple[Link, bytes]]] = field(
        default_factory=dict
    )  # what addresses that begin with a slash lead to, by the templates of the page; with digests
    translations: Translations = Translations()
    hrefs: dict[str, dict[str, int]] = field(
        default_factory=dict
    )  # of files of the site: texts with their first lines
    heads: dict[tuple[object, ...], HeadWithGaps | None] = field(
        default_factory=dict
    )  # by route and by what its pages say of themselves
    places: dict[tuple[object, ...], tuple[str, int | None]] = field(
        default_factory=dict
    )  # of addresses, by the templates around them

    @cached_property
    def manifest(self) -> Route | None:
        """The web app manifest, which each page names."""
        return next((route for route in self.site.routes if route.metadata == "manifest"), None)

    @cached_property
    def pictures(self) -> Pictures:
        return Pictures(self.config, self.library.links, self.stage)

    @cached_property
    def cards(self) -> Cards:
        return Cards(self.config, self.templates, self.stage)

    @cached_property
    def static_files(self) -> dict[str, str]:
        """Files of metadata by the decoded URLs that they answer."""
        static = (route for route in self.site.routes if route.static and not route.pattern.params)
        return {route.pattern.fill({}): route.static for route in static}

    @cached_property
    def config(self) -> Config:
        return self.site.config

    def document(self, page: PageJob) -> Document | None:
        """The document of a page, where no code of the site chooses one."""
        return Document((page.entry,), 0, self.library, page.url) if page.entry else None

    @property
    def page_config(self) -> Config:
        """The configuration in the language of the page in work."""
        return self.library.config

    @property
    def llms_url(self) -> str:
        return absolute(self.config.site.url, self.page_config.prefix + "/llms.txt")

    def original(self, page: PageJob, document: Document | None) -> str:
        """The decoded URL of the page in whose place this one is, where it is not translated; else ""."""
        entry = document.entry if document else None
        if entry and entry.is_fallback:
            return entry.original
        return without_prefix(page.url, page.route.locale) if page.route.is_fallback else ""

    def written_at(self, text: str, target: str, page: PageJob) -> tuple[str, int | None]:
        """The file and line of an address that leads to `target`; ("", None) where code makes it."""
        layouts = tuple(reversed(page.route.surroundings.layouts))
        key = (page.route.template, layouts, text, target)
        if key not in self.places:
            modules = (page.route.module, *reversed(page.route.surroundings.layout_modules))
            code = (module.file for module in modules if module)
            files = (page.route.template, *layouts, *self._templates, *code, self.config.file)
            spelt = (*spellings(text, self.config.site), target)
            found = (
                (file, line)
                for file in filter(None, files)
                for written in filter(None, spelt)
                if (line := self.line_in(file, written)) is not None
            )
            self.places[key] = next(found, ("", None))
        return self.places[key]

    @cached_property
    def _templates(self) -> tuple[str, ...]:
        """All templates that pages share, relative to the site."""
        found = (self.config.root / "templates").rglob("*.html")
        return tuple(sorted(file.relative_to(self.config.root).as_posix() for file in found))

    def line_in(self, file: str, text: str) -> int | None:
        """The line of a file of the site that writes a text between quotation marks; None where none does."""
        if file not in self.hrefs:
            self.hrefs[file] = lines_in(self.config.root / file)
        return self.hrefs[file].get(text)

    def defines(self, facts: ModuleFacts, name: str) -> bool:
        """Whether a module has a name, also one that only running it binds."""
        return name in facts.names or (facts.is_open and hasattr(self.code.load(facts.file), name))

    @contextmanager
    def not_found_is_finding(self, page: PageJob, at: Location, doing: str) -> Iterator[None]:
        """Turn `not_found()` into `bad-response`, placed where it was called."""
        try:
            yield
        except NotFound as error:
            message = f"{doing} called not_found(), so this URL would not exist"
            place = self.code.raised_at(error, at)
            raise Stop(Diagnostic("bad-response", message, place, page.hint)) from None

    def write(
        self,
        path: str,
        body: bytes,
        page: PageJob,
        *,
        media_type: str = "",
        headers: Headers = (),
        is_page: bool = False,
        has_own_url: bool = False,
    ) -> File:
        """Stage one file of a job; `has_own_url` says that its URL is its path, not that of the job.

        Raises `Stop` with `secret-in-output` rather than write a secret.
        """
        said = "\n".join((path, *(value for _, value in headers))).encode("utf-8", "surrogateescape")
        if name := leak_in(body, self.config.secrets) or leak_in(said, self.config.secrets):
            raise Stop(leak_finding(name, path, page.origin))
        try:
            digest, size = self.stage.write(path, body)
        except OSError as fault:
            raise Stop(publish_error(fault, f"write {path}", needed=len(body))) from None
        is_at_url = has_own_url or page.job.kind == "not_found" or "/" + path == page.url
        return File(
            path, page.origin, digest, size, "" if is_at_url else page.url, media_type, headers, is_page
        )
