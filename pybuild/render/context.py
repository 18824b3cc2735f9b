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
from pybuild.plan import Job, params_of
from pybuild.publish.os_errors import publish_error
from pybuild.publish.stage import Stage
from pybuild.records import File, Headers, Link
from pybuild.render.documents import Document, DocumentIndex
from pybuild.render.templates import Templates
from pybuild.render.user_code import Context, SiteCode, Stop
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Route
from pybuild.source.secrets import leak_finding, leak_in
from pybuild.source.site import Site
from pybuild.urls import absolute, page_href, page_path
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
    sent: dict[Link, bytes] = field(
        default_factory=dict
    )  # links of templates that were reported already, with their digests
    not_found: Route = Route("not_found", Pattern(), "app")
    taken: frozenset[str] = frozenset()  # output paths of the site's own that a variant gives way to
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

    def context(self, job: Job) -> Context:
        given = params_of(job, self.site)
        params = {name: value if isinstance(value, str) else list(value) for name, value in given}
        return Context(params, job.url, self.absolute(job), self.config.site)

    def absolute(self, job: Job) -> str:
        """The absolute, encoded URL of a job."""
        url = job.url
        if job.kind == "page":
            url = page_href(url, trailing_slash=self.config.trailing_slash)
        return absolute(self.config.site.url, url)

    def route(self, job: Job) -> Route:
        """The route of a job; the built-in one for a site without a not-found page."""
        return self.site.routes[job.route] if job.route >= 0 else self.not_found

    def document(self, job: Job) -> Document | None:
        """The document a job renders, without asking site code."""
        if job.entry >= 0:
            entry = self.site.collections[self.site.collection_of[job.route]][job.entry]
        else:
            found = self.site.documents.get(self.route(job).markdown)
            if found is None:
                return None
            entry = found
        return Document((entry,), 0, self.library, job.url)

    @property
    def llms_url(self) -> str:
        return absolute(self.config.site.url, "/llms.txt")

    def written_at(self, href: str, job: Job, markdown: str) -> tuple[str, int | None]:
        """The file and line where an href stands, `markdown` being the page's own; ("", None) where code makes it."""
        route = self.route(job)
        for file in filter(None, (route.template, *reversed(route.surroundings.layouts))):
            if (line := self._line(file, href)) is not None:
                return file, line
        own = self.origin(job)
        line = _lines(self.config.root / own).get(href) if href in markdown else None
        return (own, line) if line else ("", None)

    def _line(self, file: str, href: str) -> int | None:
        if file not in self.hrefs:
            self.hrefs[file] = _lines(self.config.root / file)
        return self.hrefs[file].get(href)

    def page_path(self, job: Job) -> str:
        return (
            "404.html"
            if job.kind == "not_found"
            else page_path(job.url, trailing_slash=self.config.trailing_slash)
        )

    def origin(self, job: Job) -> str:
        """The file that made a job's output: the document where there is one."""
        if job.route < 0:
            return "[not-found]"
        route = self.site.routes[job.route]
        name = self.site.collection_of[job.route] if job.entry >= 0 else ""
        return self.site.collections[name][job.entry].file if name else route.file

    def shown(self, job: Job) -> str:
        """Params for a message: ` (slug="a")`; "" without any."""
        given = params_of(job, self.site)
        said = ", ".join(f"{name}={list(v) if isinstance(v, tuple) else v!r}" for name, v in given)
        return f" ({said})" if said else ""

    def leave_out(self, job: Job) -> str:
        """What to do about a URL that does not exist: an order for a hint."""
        if job.entry >= 0:
            return "write draft: true into its front matter, or correct what fails"
        if job.params:
            return "leave these params out of generate_static_params, or correct what fails"
        return f"correct what fails, or delete {self.origin(job)}"

    def defines(self, facts: ModuleFacts, name: str) -> bool:
        """Whether a module has a name, also one that only running it binds."""
        return name in facts.names or (facts.is_open and hasattr(self.code.load(facts.file), name))

    @contextmanager
    def not_found_is_finding(self, job: Job, at: Location, doing: str) -> Iterator[None]:
        """Turn `not_found()` into `bad-response`, placed where it was called."""
        try:
            yield
        except NotFound as error:
            message = f"{doing} called not_found(), so this URL would not exist"
            place = self.code.raised_at(error, at)
            raise Stop(Diagnostic("bad-response", message, place, self.leave_out(job))) from None

    def write(
        self,
        path: str,
        body: bytes,
        job: Job,
        *,
        origin: str,
        media_type: str = "",
        headers: Headers = (),
        is_page: bool = False,
        has_own_url: bool = False,
    ) -> File:
        """Stage one file; `has_own_url` says that it answers a URL of its own.

        Raises `Stop` with `secret-in-output` rather than write a secret.
        """
        said = "\n".join(value for _, value in headers).encode("utf-8", "surrogateescape")
        if name := leak_in(body, self.config.secrets) or leak_in(said, self.config.secrets):
            raise Stop(leak_finding(name, path, origin))
        try:
            digest, size = self.stage.write(path, body)
        except OSError as fault:
            raise Stop(publish_error(fault, f"write {path}", needed=len(body))) from None
        url = "" if "/" + path == job.url or job.kind == "not_found" or has_own_url else job.url
        return File(path, origin, digest, size, url, media_type, headers, is_page)
