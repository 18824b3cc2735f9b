"""The data of the front page."""

from typing import Any

from lib import landing

from pybuild import Context

DESCRIPTION = (
    "Measured and predicted water levels over HTTP: one request, no SDK, every value with its quality."
)

metadata = {
    "title": {"absolute": "Tidewater: tides and water levels over HTTP"},
    "description": DESCRIPTION,
    "json_ld": {
        "@context": "https://schema.org",
        "@type": "WebAPI",
        "name": "Tidewater",
        "description": DESCRIPTION,
        "documentation": "https://tidewater.example/docs",
    },
}


def load(ctx: Context) -> dict[str, Any]:
    return landing.load(ctx)
