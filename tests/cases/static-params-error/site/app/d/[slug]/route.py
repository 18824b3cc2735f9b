from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params(*, session):
    return []


def GET():
    return PlainTextResponse("ok")
