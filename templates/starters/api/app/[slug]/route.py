"""`GET /[slug]`: a greeting for each name."""

from pybuild import Context, JSONResponse, Request

dynamic = "force-static"

NAMES = ("ada", "grace", "linus")


def generate_static_params() -> list[dict[str, str]]:
    return [{"slug": name} for name in NAMES]


def GET(request: Request, ctx: Context) -> JSONResponse:
    return JSONResponse({"message": f"Hello {ctx.params['slug']}!"})
