from pybuild import PlainTextResponse

dynamic = "force-static"
runtime = "nodejs"
preferred_region = "fra1"
fetch_cache = "force-cache"


def GET():
    return PlainTextResponse("x")
