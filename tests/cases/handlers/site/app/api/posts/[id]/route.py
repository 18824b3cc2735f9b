from pybuild import JSONResponse

dynamic = "force-static"


def generate_static_params():
    return [{"id": "1"}]


def GET(request, ctx):
    return JSONResponse([ctx.params, request.path_params])
