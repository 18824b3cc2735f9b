def sitemap():
    return [{"url": "https://example.com/"}, {"uri": "x"}, {"url": "https://example.com/a", "priority": 7, "last_modified": "yesterday"}]
