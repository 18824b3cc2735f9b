from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

dynamic = "force-static"

GET = Starlette(routes=[Route("/application", lambda request: PlainTextResponse("application"))])
