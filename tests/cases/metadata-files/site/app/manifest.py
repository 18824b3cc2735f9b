async def manifest():
    return {"name": "Test", "start_url": "/", "icons": [{"src": "/icon.png", "sizes": "any"}]}
