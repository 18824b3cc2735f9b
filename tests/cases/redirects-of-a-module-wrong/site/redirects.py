def redirects():
    yield {"source": "/a", "destination": "/"}
    yield "/b"
    yield {"source": "/c", "destination": "javascript:x", "permanent": True}
