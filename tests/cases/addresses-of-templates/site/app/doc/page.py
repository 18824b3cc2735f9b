def load(ctx):
    return {"picture": "/gone-of-code.png"}
