import os

from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    print("going")
    os._exit(0)
