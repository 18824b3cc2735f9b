from pybuild import PlainTextResponse

dynamic = "force-static"
inputs = ["./data/*.txt", "data", "data/", "data//deep/", "**/*.json", "*"]


def GET():
    return PlainTextResponse("a")
