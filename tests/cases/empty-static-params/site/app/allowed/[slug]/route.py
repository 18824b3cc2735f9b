from pybuild import PlainTextResponse

dynamic = "force-static"


allow_empty = True


def generate_static_params():
    return []


def GET():
    return PlainTextResponse("ok")
