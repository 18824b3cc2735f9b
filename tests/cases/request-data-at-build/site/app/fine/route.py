from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET(request, ctx):
    assert not await request.is_disconnected()
    return PlainTextResponse(f"{request.method} {request.url} {request.url.path} {ctx.url} {request.client}")
