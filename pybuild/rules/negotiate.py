"""Which representation an `Accept` field asks for: HTML, Markdown or none.

Owns the decision between `text/html` and `text/markdown`; `negotiate.js` beside this file is the same
function for hosts that run code. Knows no page, no status and no cache.
Source: RFC 9110 §5.3 (several field lines), §12.4.2 (weights), §12.5.1 (Accept).

What the RFC leaves open: a tie goes to Markdown only where `text/markdown` is named; a field without one
valid member counts as absent, and an absent field asks for HTML. `*` and `q=.2` are read as meant, since
java.net.HttpURLConnection sends both. Digits of a weight past the third do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

Representation = Literal["html", "md", "none"]
_MEMBER = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$)|")+')
_PARAMETER = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*(?:"|$)|")+')
_TOKEN = r"[!#$%&'*+.^_`|~0-9a-z-]+"
_RANGE = re.compile(rf"\*(?:/\*)?|(?!\*/){_TOKEN}/{_TOKEN}")
_WEIGHT = re.compile(r"1(?:\.0*)?|0?\.[0-9]+|0\.?")


def negotiate(fields: Iterable[str]) -> Representation:
    """Decide over the `Accept` field lines of one request, in their order.

    "none" means that both representations are refused; a host answers 406 or, when lenient, HTML.
    """
    weights: dict[str, int] = {}
    for member in _MEMBER.findall(", ".join(fields)):
        media, weight = _parse_member(member)
        if media:
            weights[media] = max(weight, weights.get(media, 0))
    if not weights:
        return "html"
    markdown, html = (_weigh(weights, media) for media in ("text/markdown", "text/html"))
    if markdown == html == 0:
        return "none"
    return "md" if markdown > html or (markdown == html and "text/markdown" in weights) else "html"


def _weigh(weights: dict[str, int], media: str) -> int:
    """The weight the most specific range gives, in thousandths."""
    return next((weights[name] for name in (media, "text/*", "*/*") if name in weights), 0)


def _parse_member(member: str) -> tuple[str, int]:
    """Read one member: its range in lower case and its weight in thousandths; `("", 0)` when unusable."""
    media, *parameters = (part.strip(" \t").lower() for part in _PARAMETER.findall(member) or [""])
    if not _RANGE.fullmatch(media):
        return "", 0
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    if not _WEIGHT.fullmatch(weight):
        return "", 0
    whole, _, fraction = weight.partition(".")
    return "*/*" if media == "*" else media, int(whole or "0") * 1000 + int((fraction + "000")[:3])


def javascript() -> str:
    """The text of `negotiate.js`: one ES5 function `pbNegotiate(field)`."""
    return files(__package__).joinpath("negotiate.js").read_text(encoding="utf-8")
