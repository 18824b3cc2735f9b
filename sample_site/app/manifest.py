"""`/manifest.webmanifest`: what a browser needs to put the site on a home screen."""

from typing import Any


def manifest() -> dict[str, Any]:
    return {
        "name": "Tidewater",
        "short_name": "Tidewater",
        "description": "Tides and water levels over HTTP",
        "start_url": "/",
        "display": "minimal-ui",
        "background_color": "#fbfaf6",
        "theme_color": "#0b5d68",
        "icons": [
            {"src": "/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/apple-icon.png", "sizes": "180x180", "type": "image/png"},
        ],
    }
