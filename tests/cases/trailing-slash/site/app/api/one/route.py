from pybuild import JSONResponse

dynamic = "force-static"


def GET():
    return JSONResponse([1])
