def generate_sitemaps():
    return [{"id": 0}, {"id": "more"}]


def sitemap(id):
    return [{"url": f"https://example.com/shop/{id}"}]
