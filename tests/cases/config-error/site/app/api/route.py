dynamic = "force-static"


def POST():
    pass
