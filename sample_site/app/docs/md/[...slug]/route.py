"""`/docs/md/…`: what the rewrite in `pybuild.toml` answers with where Markdown is asked for."""

from collections.abc import Iterator

from lib.markdown import markdown_response

from pybuild import Context, MarkdownResponse, Request, collection

dynamic = "force-static"


def generate_static_params() -> Iterator[dict[str, list[str]]]:
    for document in collection("docs"):
        if document.segments:
            yield {"slug": document.segments}


def GET(request: Request, ctx: Context) -> MarkdownResponse:
    return markdown_response(ctx.params["slug"], ctx)
