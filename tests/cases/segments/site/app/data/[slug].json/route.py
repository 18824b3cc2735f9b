from pybuild import JSONResponse

dynamic = "force-static"


def generate_static_params():
    return [{"slug": "a"}, {"slug": "b.c"}]


def GET(request, ctx):
    return JSONResponse(ctx.params)
