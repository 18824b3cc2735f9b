from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET(request):
    async for part in request.stream():
        assert part == b""
    return PlainTextResponse("read")
