from pybuild import PlainTextResponse

dynamic = "force-static"
inputs = ["/etc/*", "../a.txt", "data/../../a", "~/a"]


def GET():
    return PlainTextResponse("a")
