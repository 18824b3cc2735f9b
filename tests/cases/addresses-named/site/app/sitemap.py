def sitemap():
    yield {"url": "/"}
    yield {"url": "https://example.com/base"}
    yield {"url": "/a/"}
    yield {"url": "/b"}
    yield {"url": "/c/index.html", "alternates": {"languages": {"de": "/d/", "fr": "/e/"}}}
    yield {"url": "/gone/"}
    yield {"url": "https://other.example/"}
