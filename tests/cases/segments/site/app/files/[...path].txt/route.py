from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"path": ["x", "y"]}]


def GET(request, ctx):
    return PlainTextResponse(ctx.path)
