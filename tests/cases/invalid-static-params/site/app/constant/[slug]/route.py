from pybuild import PlainTextResponse

dynamic = "force-static"


generate_static_params = [{"slug": "a"}]


def GET():
    return PlainTextResponse("ok")
