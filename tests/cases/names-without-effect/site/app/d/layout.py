def load(ctx):
    return {}


def POST():
    pass
