def generate_image_metadata():
    return [{"id": 1}]


def icon():
    return b""
