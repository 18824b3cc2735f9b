from pybuild import MarkdownResponse, collection

dynamic = "force-static"


def generate_static_params():
    return [{"slug": doc.segments} for doc in collection("docs") if doc.segments]


def GET(request, ctx):
    return MarkdownResponse(collection("docs").get(ctx.params["slug"]).markdown)
