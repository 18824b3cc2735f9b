from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    return PlainTextResponse(request.query_params.get("q", "none"))
