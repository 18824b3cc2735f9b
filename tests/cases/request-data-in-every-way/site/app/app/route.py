from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

dynamic = "force-static"


async def answer(request):
    return StreamingResponse(iter([b"a", b"b"]), media_type="text/plain")


async def GET(scope, receive, send):
    await Starlette(routes=[Route("/app", answer)])(scope, receive, send)
