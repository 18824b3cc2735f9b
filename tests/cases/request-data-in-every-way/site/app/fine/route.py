from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    return PlainTextResponse(f"{request.url} {request.url.path} {request.base_url} {request.method} {request.scope['path']}")
