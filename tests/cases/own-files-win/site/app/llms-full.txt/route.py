from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    return PlainTextResponse("mine")
