"""What rendering works with: one set a process, made once.

Owns the context of a job and the writing of its files, with the check that no secret leaves.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.publish.os_errors import publish_error
from pybuild.publish.stage import Stage
from pybuild.records import File, Headers, Link
from pybuild.render.documents import Document, DocumentIndex
from pybuild.render.job import PageJob
from pybuild.render.templates import Templates
from pybuild.render.user_code import SiteCode, Stop
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.tree import Route, Surroundings
from pybuild.source.languages import Translations, without_prefix
from pybuild.source.secrets import leak_finding, leak_in
from pybuild.source.site import Site
from pybuild.urls import absolute
from pybuild.web import NotFound

_QUOTED = re.compile(r"""(?=["']([^"'\n]+)["'])""")  # what stands between two quotation marks


def _lines(file: Path) -> dict[str, int]:
    """The first line of each text between quotation marks."""
    text = file.read_text("utf-8", "replace")
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    found = reversed(list(_QUOTED.finditer(text)))
    return {quoted[1]: bisect(starts, quoted.start()) for quoted in found}


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
    sent: dict[Link, bytes] = field(
        default_factory=dict
    )  # links of templates that were reported already, with their digests
    translations: Translations = Translations()
    hrefs: dict[str, dict[str, int]] = field(
        default_factory=dict
    )  # of template files, with their first lines

    @cached_property
    def manifest(self) -> Route | None:
        """The web app manifest, which each page names."""
        return next((route for route in self.site.routes if route.metadata == "manifest"), None)

    @property
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
        """The decoded URL of the page in whose place this one stands, where it is not translated; else ""."""
        entry = document.entry if document else None
        if entry and entry.is_fallback:
            return entry.original
        return without_prefix(page.url, page.route.locale) if page.route.is_fallback else ""

    def written_at(self, href: str, page: PageJob, markdown: str) -> tuple[str, int | None]:
        """The file and line of an href, `markdown` being the page's own text; ("", None) where code makes it."""
        for file in filter(None, (page.route.template, *reversed(page.route.surroundings.layouts))):
            if (line := self._line(file, href)) is not None:
                return file, line
        line = _lines(self.config.root / page.origin).get(href) if href in markdown else None
        return (page.origin, line) if line else ("", None)

    def _line(self, file: str, href: str) -> int | None:
        if file not in self.hrefs:
            self.hrefs[file] = _lines(self.config.root / file)
        return self.hrefs[file].get(href)

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
        said = "\n".join(value for _, value in headers).encode("utf-8", "surrogateescape")
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
