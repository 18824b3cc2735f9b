from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    return PlainTextResponse(dict(request.scope)["query_string"].decode())
