from pybuild import Response

dynamic = "force-static"


def GET():
    return {"a": 1}
