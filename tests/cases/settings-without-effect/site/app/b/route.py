from pybuild import PlainTextResponse

dynamic = "force-static"
runtime = "python"
preferred_region = ["fra1"]
max_duration = 5


def GET():
    return PlainTextResponse("x")
