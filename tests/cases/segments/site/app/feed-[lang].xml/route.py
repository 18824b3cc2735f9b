from pybuild import XMLResponse

dynamic = "force-static"


def generate_static_params():
    return [{"lang": "en"}]


def GET(request, ctx):
    return XMLResponse(f"<feed>{ctx.params}</feed>")
