from pybuild import PlainTextResponse

dynamic = "error"


def GET(request):
    return PlainTextResponse(request.headers.get("x-name", "nobody"))
