from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    name = request.query_params["name"]
    return PlainTextResponse(name)
