def generate_sitemaps():
    return [{"id": "../x"}]


def sitemap(id):
    return []
