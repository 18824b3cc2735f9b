from pybuild import PlainTextResponse

dynamic = "force-static"


class Api:
    async def get(self, request, ctx):
        return PlainTextResponse(ctx.path)


GET = Api().get
