from pybuild import Response

dynamic = "force-static"


def GET():
    return Response("x", 503)
