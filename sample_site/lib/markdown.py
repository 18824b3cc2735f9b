"""The documentation as plain Markdown, for the handlers below `/docs/md`. Knows no route."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urljoin

from pybuild import Context, Document, MarkdownResponse, collection, not_found

RELATIVE = re.compile(r"(?<=\]\()(?![a-z]+:|/|#)[^)\s#]+\.(?:md|svg)")


def markdown_response(slug: str | Sequence[str], ctx: Context) -> MarkdownResponse:
    """The source of one page below a heading, with absolute links; 404 where there is none."""
    document = collection("docs").get(slug)
    if document is None:
        not_found()
    base = "/".join([ctx.site.url, "docs", *_folder(document), ""])
    text = RELATIVE.sub(lambda link: _address(urljoin(base, link[0])), document.markdown.strip())
    return MarkdownResponse(f"# {document.title}\n\n{text}\n", headers={"Vary": "Accept"})


def _folder(document: Document) -> list[str]:
    """The folder of a document: the index of a folder has pages below it."""
    is_index = any(other.segments[:-1] == document.segments for other in collection("docs") if other.segments)
    return document.segments if is_index else document.segments[:-1]


def _address(link: str) -> str:
    """`…/concepts/index.md` answers as `…/concepts.md`."""
    return link.removesuffix("/index.md") + ".md" if link.endswith("/index.md") else link
