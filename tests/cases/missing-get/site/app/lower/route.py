from pybuild import PlainTextResponse

dynamic = "force-static"


def get():
    return PlainTextResponse("ok")
