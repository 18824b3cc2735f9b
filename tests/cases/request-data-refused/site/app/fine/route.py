from pybuild import PlainTextResponse

dynamic = "error"


def GET(request):
    return PlainTextResponse(str(request.url))
