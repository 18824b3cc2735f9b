def laod(ctx):
    return {}
