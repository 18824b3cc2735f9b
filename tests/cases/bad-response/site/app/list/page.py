def load(ctx):
    return [1]
