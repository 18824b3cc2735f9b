from pybuild import StreamingResponse

dynamic = "force-static"


def GET():
    return StreamingResponse(iter(["a", b"b"]), media_type="text/csv")
