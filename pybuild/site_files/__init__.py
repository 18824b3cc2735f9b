"""The site-wide outputs, in the order they are made.

Owns the ordered table. Knows no format: one module makes one output, and is imported when it is made, so
that an export which reuses them all does not pay for their libraries.
Source of truth: docs/outputs.md.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pybuild.compact import table
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.records import PAGE, Artifact, Page
from pybuild.site_files.variants import Variants


@dataclass(frozen=True, slots=True)
class ExtraFeed:
    """A feed of some pages."""

    url: str  # decoded, of the page that lists them all; the feed lies below it
    title: str
    pages: tuple[str, ...]  # decoded URLs, newest first


@dataclass(frozen=True, slots=True)
class SiteOrder:
    """What outputs know of the site besides its pages."""

    sections: Mapping[str, tuple[int, str]] = field(
        default_factory=dict
    )  # rank and folder of documents, by URL
    has_look: bool = False  # some page is made by the default look
    feeds: tuple[ExtraFeed, ...] = ()


NO_ORDER = SiteOrder()


@dataclass(frozen=True, slots=True)
class Output:
    """One row: the path that stands for the output, and who makes it."""

    path: str  # the site's own file of this path replaces the whole output; "" where each file counts alone
    maker: str  # "module:function", called with (pages, config), then variants and order where it wants them
    reads: bool = False  # needs the Markdown variants, or says of which pages it is made
    ordered: bool = False  # needs the order of the site
    localized: bool = False  # each language has its own, below its prefix


OUTPUTS = (
    Output("sitemap.xml", "pybuild.site_files.sitemap:sitemap"),
    Output("", "pybuild.site_files.feeds:feeds", reads=True, ordered=True, localized=True),
    Output("robots.txt", "pybuild.site_files.robots:robots"),
    Output("llms.txt", "pybuild.site_files.llms:llms_index", ordered=True, localized=True),
    Output("llms-full.txt", "pybuild.site_files.llms:llms_full", reads=True, ordered=True, localized=True),
    Output("search.json", "pybuild.site_files.search:search_index", ordered=True, localized=True),
)


def assemble(
    pages: Collection[Page],
    config: Config,
    variants: Variants,
    order: SiteOrder = NO_ORDER,
    *,
    taken: Collection[str] = (),
) -> Iterator[Artifact | Diagnostic]:
    """Yield the site-wide files and the findings, one file in memory at a time.

    `taken` holds the paths the site itself writes: what
    they replace is not made, nor are the further parts of it.
    """
    for output in OUTPUTS:
        for locale in ("", *config.languages[1:]) if output.localized else ("",):
            inside = config.in_language(locale)
            if output.path and f"{inside.prefix}/{output.path}"[1:] in taken:
                continue
            make: Callable[..., Iterable[Artifact | Diagnostic]] = pkgutil.resolve_name(output.maker)
            extra = (*((variants,) if output.reads else ()), *((order,) if output.ordered else ()))
            own = pages
            if output.localized and len(config.languages) > 1:
                own = in_language = table(PAGE, len(pages))
                in_language.extend(page for page in pages if page.locale == locale)
            made = make(own, inside, *extra)
            yield from (item for item in made if isinstance(item, Diagnostic) or item.path not in taken)
