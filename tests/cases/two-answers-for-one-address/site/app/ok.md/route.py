from pybuild import JSONResponse, PlainTextResponse

dynamic = "force-static"


def GET():
    return PlainTextResponse("# Own")
