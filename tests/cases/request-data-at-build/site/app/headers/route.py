from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    name = request.headers.get("x-name", "nobody")
    return PlainTextResponse(name)
