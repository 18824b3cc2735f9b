from pybuild import JSONResponse

dynamic = "force-static"


def GET(request, ctx):
    return JSONResponse(ctx.params)
