def opengraph_image(ctx):
    return b"\x89PNG\r\n\x1a\n" + repr(ctx.params).encode()
