from pybuild import PlainTextResponse


def GET():
    return PlainTextResponse("ok")
