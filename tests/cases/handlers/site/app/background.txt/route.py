from starlette.background import BackgroundTask

from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    return PlainTextResponse("kept", background=BackgroundTask(print, "not published"))
