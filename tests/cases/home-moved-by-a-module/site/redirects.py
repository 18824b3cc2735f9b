def redirects():
    return [{"source": "/", "destination": "/docs/a", "permanent": False}]
