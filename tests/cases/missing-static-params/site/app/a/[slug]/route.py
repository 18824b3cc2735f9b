from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request, ctx):
    return PlainTextResponse("ok")
