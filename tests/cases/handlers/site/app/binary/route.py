from pybuild import Response

dynamic = "force-static"


def GET():
    return Response(bytes(range(256)), media_type="image/png")
