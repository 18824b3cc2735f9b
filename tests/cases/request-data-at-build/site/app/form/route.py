from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET(request):
    form = await request.form()
    async with request.form() as again:
        return PlainTextResponse(str([dict(form), dict(again)]))
