"""A page of which only layouts changed, made of what was published of it.

Owns which parts of the published page stay: what is inside the innermost layout that changed, the head, and what
is known of both. The layouts are rendered around them, and links and ids are read from what is new. Everything else of
the page, its variants and its row are what they were. In doubt the page is rendered. Knows no cache.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from markupsafe import Markup

from pybuild.files import read
from pybuild.metadata.head import Metadata
from pybuild.records import Page
from pybuild.render.context import RenderContext
from pybuild.render.job import PageJob
from pybuild.render.layouts import Places, in_layouts, places_in
from pybuild.render.page import PageBuild, encoded, view_of, with_variant_link
from pybuild.render.page_html import NOWHERE
from pybuild.render.page_links import KnownText, read_page, template_links
from pybuild.render.page_metadata import Summary, variant_tag
from pybuild.render.pictures import PICTURES
from pybuild.render.result import Rendered
from pybuild.source.front_matter import parse


def relayout(context: RenderContext, page: PageJob, last: Rendered, first: int) -> Rendered | None:
    """Put a page into its layouts again, but for the `first` innermost; None where it must be rendered.

    `last` is its row, whose other parts still hold. Raises `Stop` with the findings that prevent it.
    """
    old, document = _published(context, last), context.document(page)
    places = _places(last, first, len(old))
    if not (document and places and last.page):
        return None
    context.library.used.clear()
    summary = _summary(context, page, last.page, Markup(old[slice(*places.head)]))
    made = PageBuild(page, {}, document, summary, view_of(context, page, summary, document))
    values = {"page": made.view, "params": page.ctx.params, "document": document, "head": summary.head}
    start, end, count = places.children[first]
    html, children = in_layouts(context, page, values, old[start:end], blame=made.blame, first=first)
    own, used = last.assets[:count], list(context.library.used)
    assets = dict.fromkeys((*own, *used))
    pictures = context.pictures.shown(with_variant_link(html, summary), page.url, assets)
    source = parse(read(f"{context.config.root}/{document.entry.file}"), document.entry.file)
    known = KnownText.again(old[slice(*places.document)], source.body)
    found = read_page(pictures.html, known)
    if found.document == NOWHERE:  # a layout changed it, and with it what its links lead to
        return None
    links, link_ids = template_links(context, page, found, known, frozenset(found.ids))
    inner = [(old[a:b], n) for a, b, n in places.children[:first]]
    outer = [(text, len({*own, *used[:n]})) for text, n in children]
    written = context.write(page.path, encoded(pictures.html, made), page, is_page=True)
    kept = (file for file in last.files[1:] if file.origin != PICTURES)
    return replace(
        last,
        files=(written, *kept, *pictures.files.values()),
        anchors="\n".join(("", *found.ids, "")),
        assets=tuple(assets),
        template_links=links,
        template_link_ids=link_ids,
        pictures="\n".join(dict.fromkeys((*last.pictures.split("\n"), *pictures.said))).strip("\n"),
        places=places_in(pictures.html, summary.head, found.document, (*inner, *outer)),
    )


def _published(context: RenderContext, last: Rendered) -> str:
    """The HTML of a page as it was published; "" where it or one of its other files is not there any more."""
    stage, (page, *others) = context.stage, last.files
    try:
        body = read(f"{stage.output.out}/{page.path}")
    except OSError:
        return ""
    is_same = hashlib.sha256(body).hexdigest() == page.digest
    is_whole = is_same and all(stage.holds(file.path, file.digest) for file in others)
    return body.decode("utf-8") if is_whole else ""


def _places(last: Rendered, first: int, size: int) -> Places | None:
    """The places in the old page; None where they do not tell what is in that layout."""
    numbers = last.places
    is_sound = all(isinstance(number, int) and 0 <= number <= size for number in numbers)
    return Places.read(numbers) if is_sound and len(numbers) >= 4 + 3 * (first + 1) else None


def _summary(context: RenderContext, page: PageJob, row: Page, head: Markup) -> Summary:
    """What the page says of itself, of its row and its head."""
    metadata = Metadata(title=row.title, description=row.description, indexed=row.indexed)
    variant = context.library.links.variant(page.url)
    return Summary(
        metadata,
        head,
        row.date,
        row.updated,
        row.language,
        variant_tag(head) if variant else "",
        variant.removeprefix(context.page_config.site.origin),
    )
