"""Metadata of every page below `/docs`."""

metadata = {"title": {"template": "%s · Tidewater docs", "default": "Tidewater docs"}}
