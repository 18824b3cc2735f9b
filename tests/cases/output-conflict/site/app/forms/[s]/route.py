from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"s": "e\u0301"}, {"s": "\u00e9"}]


def GET():
    return PlainTextResponse("ok")
