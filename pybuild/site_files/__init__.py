"""The site-wide outputs, in the order they are made.

Owns the ordered table. Knows no format: one module makes one output, and is imported when it is made, so
that an export which reuses them all does not pay for their libraries.
Source of truth: docs/outputs.md.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.records import Artifact, Page


@dataclass(frozen=True, slots=True)
class Output:
    """One row: the path that stands for the output, and who makes it."""

    path: str  # the site's own file of this path replaces the whole output; "" where each file stands alone
    maker: str  # "module:function", called with (pages, config) or (pages, config, read)
    reads: bool = False  # needs the Markdown variants


OUTPUTS = (
    Output("sitemap.xml", "pybuild.site_files.sitemap:sitemap"),
    Output("", "pybuild.site_files.feeds:feeds"),
    Output("robots.txt", "pybuild.site_files.robots:robots"),
    Output("llms.txt", "pybuild.site_files.llms:llms_index"),
    Output("llms-full.txt", "pybuild.site_files.llms:llms_full", reads=True),
)


def assemble(
    pages: Collection[Page], config: Config, read: Callable[[Page], str], *, taken: Collection[str] = ()
) -> Iterator[Artifact | Diagnostic]:
    """Yield the site-wide files and the findings, one file in memory at a time.

    `read` returns the Markdown variant of a page. `taken` holds the paths the site itself writes: what
    they replace is not made, nor are the further parts of it.
    """
    for output in OUTPUTS:
        if output.path in taken:
            continue
        make: Callable[..., Iterable[Artifact | Diagnostic]] = pkgutil.resolve_name(output.maker)
        made = make(pages, config, read) if output.reads else make(pages, config)
        yield from (item for item in made if isinstance(item, Diagnostic) or item.path not in taken)
