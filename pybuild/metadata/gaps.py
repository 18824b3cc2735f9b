"""The head of pages that say no more of themselves than a title, a description and dates: made once, with gaps.

Owns the gaps. What stands around them is the same for all pages of a route, so `head` makes it once, of marks in the
place of what is a page's own, and a page's head is this text with its own words between. Knows no page and no route.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from pybuild.config.loader import Config
from pybuild.metadata.head import Metadata, PageFacts, head_markup, resolve
from pybuild.metadata.layers import Layer
from pybuild.site_files.selection import FeedLink

_TITLE, _DESCRIPTION, _DATE, _UPDATED, _VARIANT = "\ue0f0", "\ue0f1", "\ue0f2", "\ue0f3", "\ue0f4"
_HREF = "https://0.page.invalid/0"  # a mark that can be joined to, RFC 6761 §6.4
_MARKS = re.compile(f"([\ue0f0-\ue0f4]|{re.escape(_HREF)})")
_WRITTEN_MARK = re.compile(r"\\ue0f[0-4]|page\.invalid")  # as `repr` writes them


@dataclass(frozen=True, slots=True)
class Own:
    """What a page says for itself; "" where it is silent."""

    title: str  # on one line
    description: str
    href: str  # absolute, encoded
    date: str  # RFC 3339
    updated: str
    variant: str  # the absolute URL of its Markdown

    @property
    def shape(self) -> tuple[bool, bool, bool]:
        """Which gaps a head needs."""
        return bool(self.description), bool(self.date), bool(self.updated)


@dataclass(frozen=True, slots=True)
class HeadWithGaps:
    """The metadata of pages of one shape."""

    metadata: Metadata  # with marks
    pieces: tuple[str, ...]  # of the head; each second one is a mark
    variant_tag: str  # the line that names the Markdown

    def filled(self, own: Own) -> tuple[Metadata, Markup, str]:
        """The metadata of a page, its head, and the line that names its Markdown."""
        words = {
            _TITLE: own.title,
            _DESCRIPTION: own.description,
            _DATE: own.date,
            _UPDATED: own.updated,
            _VARIANT: own.variant,
            _HREF: own.href,
        }
        shown = {mark: str(escape(text)) for mark, text in words.items()}
        made, known = self.metadata, words.get(self.metadata.description)
        metadata = Metadata(
            title=made.title.replace(_TITLE, own.title),
            name=own.title,
            has_title=True,
            description=made.description if known is None else known,
            canonical=own.href,
            indexed=made.indexed,
            json_ld=made.json_ld,
        )
        head = Markup("".join([shown.get(piece, piece) for piece in self.pieces]))
        return metadata, head, self.variant_tag.replace(_VARIANT, shown[_VARIANT])


def with_gaps(
    layers: Sequence[Layer], config: Config, own: Own, language: str, feeds: Sequence[FeedLink]
) -> HeadWithGaps | None:
    """The head of all pages of the shape of `own` with these layers; None where it takes more than gaps.

    Precondition: the layer of the document says no more than its title and its description.
    """
    said = {"title": _TITLE, "description": _DESCRIPTION if own.description else ""}
    marked = [replace(layer, values=said) if layer.kind == "document" else layer for layer in layers]
    facts = PageFacts(
        href=_HREF,
        date=_DATE if own.date else "",
        updated=_UPDATED if own.updated else "",
        language=language,
    )
    metadata, findings = resolve(marked, config, facts)
    is_plain = metadata.name == _TITLE and metadata.canonical == _HREF
    if findings or not is_plain or metadata.images or metadata.languages:
        return None
    pieces = _MARKS.split(head_markup(metadata, variant=_VARIANT, feeds=feeds))
    tag = next(line for line in "".join(pieces).split("\n") if _VARIANT in line)
    others = (layers[:-1], config.site, feeds, pieces[::2])
    if _WRITTEN_MARK.search(repr(others)):  # a mark of somebody else's, or something made of ours
        return None
    return HeadWithGaps(metadata, tuple(pieces), tag)
