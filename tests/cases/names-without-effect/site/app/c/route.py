from pybuild import JSONResponse

dynamic = "force-static"
metadata = {"title": "x"}
QUERY = "q"


def GET():
    return JSONResponse({})


def TRACE():
    return JSONResponse({})


def load(ctx):
    return {}


def generate_static_params():
    return []
