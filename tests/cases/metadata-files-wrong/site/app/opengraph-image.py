content_type = "image/jpeg"


def opengraph_image():
    return b"\x89PNG\r\n\x1a\n"
