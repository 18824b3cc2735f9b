metadata = {
    "alternates": {"types": {"application/rss+xml": [{"url": "/rss.xml", "title": "News"}, "/shop.xml"]}}
}


def generate_static_params():
    return [{"1a": "x"}]


def load(ctx):
    return {}
