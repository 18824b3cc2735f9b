from pybuild import PlainTextResponse

dynamic = "force-static"


GET = lambda: PlainTextResponse("ok")
