def robots():
    return {"rules": {"user_agent": "*", "disallow": "/private/"}, "sitemap": "https://example.com/sitemap.xml"}
