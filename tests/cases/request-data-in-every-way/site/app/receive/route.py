from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET(request):
    message = await request.receive()
    return PlainTextResponse(message["body"])
