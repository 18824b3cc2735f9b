from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    return PlainTextResponse(str(request.client) + str(request.scope.get("client")))
