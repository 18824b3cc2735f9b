def load(ctx):
    return {"page": 1}
