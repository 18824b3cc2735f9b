from pybuild import Response

dynamic = "force-static"


def GET():
    return Response(b"\x8b\x02\x80hello\x03", media_type="text/plain", headers={"Content-Encoding": "br"})
