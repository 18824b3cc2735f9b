"""The documentation as plain Markdown, for the handlers below `/docs/md`. Knows no route."""

from __future__ import annotations

from collections.abc import Sequence

from pybuild import MarkdownResponse, collection, not_found


def markdown_response(slug: str | Sequence[str]) -> MarkdownResponse:
    """The source of one page below a heading; 404 where there is none."""
    document = collection("docs").get(slug)
    if document is None:
        not_found()
    text = f"# {document.title}\n\n{document.markdown.strip()}\n"
    return MarkdownResponse(text, headers={"Vary": "Accept"})
