from pybuild import JSONResponse

dynamic = "force-static"


def generate_static_params(params):
    return [{"id": params["lang"].upper()}]


def GET(request, ctx):
    return JSONResponse(ctx.params)
