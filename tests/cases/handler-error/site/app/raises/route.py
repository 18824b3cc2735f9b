from lib.work import work
from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    return PlainTextResponse(work(0))
