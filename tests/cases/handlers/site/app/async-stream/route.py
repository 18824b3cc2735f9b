from pybuild import StreamingResponse

dynamic = "force-static"


async def parts():
    yield "a"
    yield "b"


def GET():
    return StreamingResponse(parts(), media_type="text/plain")
