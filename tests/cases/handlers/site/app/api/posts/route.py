from pybuild import JSONResponse

dynamic = "force-static"


async def GET(request, ctx):
    return JSONResponse([ctx.path, ctx.url, ctx.site.title])
