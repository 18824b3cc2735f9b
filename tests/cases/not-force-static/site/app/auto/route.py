from pybuild import PlainTextResponse

dynamic = "auto"


def GET():
    return PlainTextResponse("ok")
