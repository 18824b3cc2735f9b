from pybuild import JSONResponse


def POST():
    return JSONResponse({})
