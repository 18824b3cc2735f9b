# café
dynamic = "force-static"


def GET():
    pass
