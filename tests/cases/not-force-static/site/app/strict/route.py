from pybuild import PlainTextResponse

dynamic = "error"


def GET():
    return PlainTextResponse("ok")
