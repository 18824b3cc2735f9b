"""`/docs/md`: the first page of the documentation as Markdown."""

from lib.markdown import markdown_response

from pybuild import Context, MarkdownResponse, Request

dynamic = "force-static"


def GET(request: Request, ctx: Context) -> MarkdownResponse:
    return markdown_response("", ctx)
