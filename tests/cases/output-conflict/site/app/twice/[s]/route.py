from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"s": "A"}, {"s": "a"}]


def GET():
    return PlainTextResponse("ok")
