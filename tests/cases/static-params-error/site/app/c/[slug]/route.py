import os

from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    os._exit(0)


def GET():
    return PlainTextResponse("ok")
