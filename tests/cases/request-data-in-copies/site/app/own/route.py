from pybuild import PlainTextResponse

dynamic = "force-static"


def GET(request):
    return PlainTextResponse(f'{request.url} {request.method} {request.base_url}')
