from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    yield {"slug": "a"}
    yield {"slug": "b"}


def GET(request, ctx):
    return PlainTextResponse({"a": "ok"}[ctx.params["slug"]])
