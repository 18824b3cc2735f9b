"""The German front page, in place of the English one in German: its text is its own."""

from typing import Any

from lib import landing

from pybuild import Context

metadata = {
    "title": {"absolute": "Tidewater: Gezeiten und Wasserstände über HTTP"},
    "description": "Gemessene und vorausberechnete Wasserstände über HTTP: ein Aufruf, kein SDK, zu jedem Wert seine Güte.",
}


def load(ctx: Context) -> dict[str, Any]:
    return landing.load(ctx)
