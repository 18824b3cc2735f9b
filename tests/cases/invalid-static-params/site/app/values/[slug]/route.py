from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [
        {"slug": value}
        for value in ("", "..", "a/b", "a\0b", "con", "a:b", "dot.", "x" * 201, "a%20b", "\ud800", 1, None, ["a"])
    ]


def GET():
    return PlainTextResponse("ok")
