def robots():
    return {"rules": {"user_agent": "*", "disallow": "/a\nAllow: /"}, "sitmap": "x"}
