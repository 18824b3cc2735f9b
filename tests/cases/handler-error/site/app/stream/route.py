from pybuild import StreamingResponse

dynamic = "force-static"


def parts():
    yield "a"
    raise KeyError("b")


def GET():
    return StreamingResponse(parts())
