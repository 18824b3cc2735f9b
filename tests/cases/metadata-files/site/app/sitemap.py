from datetime import date


def sitemap():
    yield {
        "url": "https://example.com/?a=1&b=2",
        "last_modified": date(2024, 1, 2),
        "change_frequency": "weekly",
        "priority": 0.5,
        "alternates": {"languages": {"de": "https://example.com/de"}},
        "images": ["https://example.com/a.png"],
    }
