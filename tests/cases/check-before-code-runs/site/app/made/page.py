def load(ctx):
    return {}
