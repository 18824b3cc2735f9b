def generate_sitemaps():
    return []


def sitemap(id):
    return []
