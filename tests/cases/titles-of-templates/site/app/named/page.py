metadata = {"title": "Said"}
