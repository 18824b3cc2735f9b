from pybuild import JSONResponse, PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"item": "a"}, {"item": "b"}]


def GET():
    return JSONResponse({})
