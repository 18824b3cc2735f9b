import sys

from pybuild import PlainTextResponse

dynamic = "force-static"

sys.exit(2)


def GET():
    return PlainTextResponse("ok")
