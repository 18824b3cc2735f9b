def load(ctx):
    return {"menu": []}
