from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET(request):
    return PlainTextResponse(str(await request.body()))
