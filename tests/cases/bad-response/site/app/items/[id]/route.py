from pybuild import Response

dynamic = "force-static"


def generate_static_params():
    return [{"id": "1"}, {"id": "2"}]


def GET(request, ctx):
    return Response("x", 200 if ctx.params["id"] == "1" else 404)
