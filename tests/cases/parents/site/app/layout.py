metadata = {"title": {"default": "Default", "template": "%s | Site"}, "description": "From the root"}
