dynamic = "force-dynamic"


def load(ctx):
    return {}
