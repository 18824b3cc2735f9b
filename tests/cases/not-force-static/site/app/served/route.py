from pybuild import PlainTextResponse

dynamic = "force-dynamic"


def GET():
    return PlainTextResponse("ok")
