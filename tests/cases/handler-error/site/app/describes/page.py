async def generate_metadata(ctx):
    raise LookupError(ctx.path)
