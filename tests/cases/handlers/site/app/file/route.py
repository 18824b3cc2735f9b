from pybuild import FileResponse

dynamic = "force-static"


def GET():
    return FileResponse("lib/data.csv")
