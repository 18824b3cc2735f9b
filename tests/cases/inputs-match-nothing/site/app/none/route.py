from pybuild import PlainTextResponse

dynamic = "force-static"
inputs = []


def GET():
    return PlainTextResponse("a")
