from pybuild import PlainTextResponse

dynamic = "force-static"


dynamic_params = True
revalidate = -1
fetch_cache = "only-cach"
runtime = "edge"
preferred_region = 5
max_duration = 0
allow_empty = "yes"
inputs = "content/**"


def GET():
    return PlainTextResponse("ok")
