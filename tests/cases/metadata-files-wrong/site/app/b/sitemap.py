def sitemap():
    raise ValueError("no list")
