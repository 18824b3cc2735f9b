"""`GET /`: a greeting."""

from pybuild import JSONResponse

dynamic = "force-static"


def GET() -> JSONResponse:
    return JSONResponse({"message": "Hello world!"})
