from starlette.endpoints import HTTPEndpoint

from pybuild import PlainTextResponse

dynamic = "force-static"


class GET(HTTPEndpoint):
    async def get(self, request):
        return PlainTextResponse(f"endpoint {request.url.path} {await request.body()}")
