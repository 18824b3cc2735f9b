from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"slug": []}, {"slug": "a/b"}, {"slug": ["a", ".."]}, {"slug": ["a/b"]}, {"slug": [1]}, {"slug": ["a" * 150] * 10}]


def GET():
    return PlainTextResponse("ok")
