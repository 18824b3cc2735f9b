from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return None


def GET():
    return PlainTextResponse("ok")
