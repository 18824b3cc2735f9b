"""A job of the plan with all that follows from it, resolved once.

Owns which route, document, addresses and output path belong to a job. Runs nothing and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pybuild.plan import Job, entry_of, params_of
from pybuild.render.user_code import Context, Params
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Route, Surroundings
from pybuild.source.document import Entry
from pybuild.source.site import Site
from pybuild.urls import absolute, page_href, page_path, variant_urls

_BUILT_IN = "[not-found]"  # the origin of a 404 page that the site does not write


@dataclass(frozen=True, slots=True)
class PageJob:
    """One GET to run: a page, a handler or a metadata file."""

    job: Job
    route: Route
    entry: Entry | None  # the document it renders, where no code of the site chooses one
    ctx: Context  # what functions of the site see
    url: str  # decoded
    is_page: bool
    path: str  # of the page in the output
    href: str  # absolute and encoded
    origin: str  # the file that makes it: the document where there is one
    variants: tuple[str, ...] = ()  # decoded URLs of the Markdown variant, the first one named in links

    @property
    def shown_params(self) -> str:
        """Params for a message: ` (slug="a")`; "" without any."""
        said = ", ".join(f"{name}={value!r}" for name, value in self.ctx.params.items())
        return f" ({said})" if said else ""

    @property
    def hint(self) -> str:
        """What to do about a URL that does not exist."""
        if self.job.entry >= 0:
            return "write draft: true into its front matter, or correct what fails"
        if self.job.params:
            return "leave these params out of generate_static_params, or correct what fails"
        return f"correct what fails, or delete {self.origin}"


def resolve(site: Site, job: Job, root: Surroundings) -> PageJob:
    """Resolve a job; `root` is what surrounds the built-in 404 page."""
    route = (
        site.routes[job.route] if job.route >= 0 else Route("not_found", Pattern(), "app", surroundings=root)
    )
    collected = entry_of(job, site)
    entry = collected or site.documents.get(route.markdown)
    slash = site.config.trailing_slash
    is_page = job.kind == "page"
    stands_in = collected.is_fallback if collected else route.is_fallback
    href = absolute(site.config.site.url, page_href(job.url, trailing_slash=slash) if is_page else job.url)
    params = Params(
        (name, value if isinstance(value, str) else list(value)) for name, value in params_of(job, site)
    )
    return PageJob(
        job,
        route,
        entry,
        ctx=Context(params, job.url, href, site.config.in_language(route.locale).site),
        url=job.url,
        is_page=is_page,
        path="404.html" if job.kind == "not_found" else page_path(job.url, trailing_slash=slash),
        href=href,
        origin=_BUILT_IN if job.route < 0 else collected.file if collected else route.file,
        variants=variant_urls(job.url, trailing_slash=slash) if is_page and not stands_in else (),
    )
