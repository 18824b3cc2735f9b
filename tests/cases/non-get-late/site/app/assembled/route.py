from pybuild import PlainTextResponse

dynamic = "force-static"


def answer():
    return PlainTextResponse("ok")


GET = answer
globals()["PO" + "ST"] = answer
