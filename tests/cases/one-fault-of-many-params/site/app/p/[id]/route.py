from pybuild import JSONResponse, not_found

dynamic = "force-static"


def generate_static_params():
    return [{"id": str(n)} for n in range(1000)]


def GET(request, ctx):
    number = int(ctx.params["id"])
    if number >= 997:
        not_found()
    return JSONResponse({"7": number}[f"{number}x"])
