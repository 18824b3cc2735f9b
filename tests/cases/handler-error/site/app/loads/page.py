def load(ctx):
    return {"n": 1 / 0}
