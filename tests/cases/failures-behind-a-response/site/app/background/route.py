from starlette.background import BackgroundTask

from pybuild import PlainTextResponse

dynamic = "force-static"


def fails():
    raise ValueError("in the background")


def GET():
    return PlainTextResponse("x", background=BackgroundTask(fails))
