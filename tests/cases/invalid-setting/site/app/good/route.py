from pybuild import PlainTextResponse

dynamic = "force-static"


revalidate = False
max_duration = 2.5
dynamic_params = False
inputs = ["app/**"]


def GET():
    return PlainTextResponse("ok")
