from pybuild import JSONResponse


def GET():
    return JSONResponse({})


async def POST(request):
    return JSONResponse({})
