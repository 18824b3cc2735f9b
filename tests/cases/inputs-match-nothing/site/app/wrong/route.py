from pybuild import PlainTextResponse

dynamic = "force-static"
inputs = ["*.txt", "data/*.{txt,json}", "Data/*.txt", "data/*.csv", "b.json", "deep", "public", ".git", "out/a"]


def GET():
    return PlainTextResponse("a")
