from starlette.endpoints import HTTPEndpoint

from pybuild import PlainTextResponse

dynamic = "force-static"


class GET(HTTPEndpoint):
    async def get(self, request):
        return PlainTextResponse(request.headers.get("a", "-") + str(await request.body()) + str(request.url))
