from pybuild import PlainTextResponse

dynamic = "force_static"


def GET():
    return PlainTextResponse("ok")
