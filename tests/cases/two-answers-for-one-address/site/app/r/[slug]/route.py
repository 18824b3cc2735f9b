from pybuild import JSONResponse, PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"slug": "about"}, {"slug": "other"}]


def GET():
    return JSONResponse({})
