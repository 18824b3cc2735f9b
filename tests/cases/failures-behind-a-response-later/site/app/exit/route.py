from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    raise GeneratorExit
