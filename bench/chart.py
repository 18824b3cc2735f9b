"""Bars as SVG, for light and dark pages. Knows no builder; a name that starts with `pybuild` is drawn in colour."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

WIDTH, LABEL, ROW, TOP = 760, 150, 24, 34  # pixels
STYLE = """text { font: 13px system-ui, sans-serif; fill: #222 }
.head { font-weight: 600 }
.other { fill: #9aa4ae }
.own { fill: #1f6feb }
@media (prefers-color-scheme: dark) { text { fill: #e6e6e6 } .other { fill: #6b7683 } .own { fill: #58a6ff } }"""


def svg(title: str, panels: Mapping[str, Mapping[str, float | None]]) -> str:
    """One panel below another, each name with its number as a bar; none is a builder that failed."""
    parts, top = [], TOP
    for head, values in panels.items():
        parts.append(f'<text class="head" x="8" y="{top + 16}">{escape(head)}</text>')
        parts += panel(values, top + ROW)
        top += ROW * (len(values) + 1) + 14
    text = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{text}</title>\n<desc id="desc">{escape(told(panels))}</desc>\n<style>{STYLE}</style>\n'
        f'<text class="head" x="8" y="20">{text}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def panel(values: Mapping[str, float | None], top: int) -> list[str]:
    most = max((number for number in values.values() if number is not None), default=1.0)
    room = WIDTH - LABEL - 70
    rows = []
    for name, number in sorted(values.items(), key=lambda one: (one[1] is None, one[1] or 0.0, one[0])):
        length = max(1.0, room * (number or 0.0) / most)
        kind = "own" if name.startswith("pybuild") else "other"
        rows.append(f'<text x="{LABEL - 6}" y="{top + 15}" text-anchor="end">{escape(name)}</text>')
        if number is not None:
            rows.append(
                f'<rect class="{kind}" x="{LABEL}" y="{top + 3}" width="{length:.1f}" height="16" rx="2"/>'
            )
        at = LABEL + 6 if number is None else LABEL + length + 6
        rows.append(f'<text x="{at:.1f}" y="{top + 15}">{shown(number)}</text>')
        top += ROW
    return rows


def shown(number: float | None) -> str:
    return "failed" if number is None else f"{number:.2f} s"


def told(panels: Mapping[str, Mapping[str, float | None]]) -> str:
    sentences = (
        f"{head}: " + ", ".join(f"{name} {shown(number)}" for name, number in values.items()) + "."
        for head, values in panels.items()
    )
    return " ".join(sentences)
