from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return {"slug": "a"}


def GET():
    return PlainTextResponse("ok")
