def sitemaps():
    return []
