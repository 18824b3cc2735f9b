metadata = {
    "title": "B",
    "open_graph": {"url": "http://example.com/base/b/", "images": ["/gone.png"]},
    "twitter": {"images": ["/gone.png"]},
}
