from pybuild import Response

dynamic = "force-static"


def GET():
    return Response(status_code=204)
