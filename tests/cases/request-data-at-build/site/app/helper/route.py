from lib.who import who
from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    return PlainTextResponse(who(request))
