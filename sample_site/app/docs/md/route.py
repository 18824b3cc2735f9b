"""`/docs/md`: the first page of the documentation as Markdown."""

from lib.markdown import markdown_response

from pybuild import MarkdownResponse

dynamic = "force-static"


def GET() -> MarkdownResponse:
    return markdown_response("")
