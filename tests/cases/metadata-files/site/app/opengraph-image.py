from pybuild import Response

alt = "A picture"
size = {"width": 1200, "height": 630}
content_type = "image/svg+xml"


def opengraph_image(ctx):
    return Response(f"<svg><!-- {ctx.path} --></svg>", media_type="image/svg+xml")
