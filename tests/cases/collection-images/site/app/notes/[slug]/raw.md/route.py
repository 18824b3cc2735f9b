from pybuild import MarkdownResponse

dynamic = "force-static"


def GET(request, ctx):
    return MarkdownResponse(ctx.params["slug"])
