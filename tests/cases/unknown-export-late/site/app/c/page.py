def load(ctx):
    return {"a": 1}
