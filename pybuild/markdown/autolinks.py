"""Bare addresses in text become links.

Owns the extended autolinks of GFM for `http://`, `https://` and `www.`, in time linear in the text. Mail
addresses stay text. Knows no site and no page.
Source of truth: GitHub Flavored Markdown Spec 0.29 §6.9.
"""

from __future__ import annotations

import re

ADDRESS = r"""(?<![^\W_])(?<![@/:.=-])
    (?:https?://[\w-]+(?:\.[\w-]+)*|www\.[\w-]+(?:\.[\w-]+)+)
    (?::[0-9]{1,5})?(?:[/?\#](?:(?!&lt;)[^\s<])*)?"""  # in HTML
_ENTITY = re.compile(r"&[A-Za-z0-9]{1,32};\Z")
_CLOSERS = "?!.,:*_~'\""


def trimmed(address: str) -> str:
    """Drop what ends the sentence rather than the address: `https://a.example/x).` → `https://a.example/x`."""
    surplus = address.count(")") - address.count("(")
    while address:
        if address[-1] in _CLOSERS:
            address = address.rstrip(_CLOSERS)
        elif address[-1] == ")" and surplus > 0:
            kept = address.rstrip(")")
            kept += ")" * max(0, len(address) - len(kept) - surplus)
            surplus -= len(address) - len(kept)
            address = kept
        elif address[-1] == ";" and (entity := _ENTITY.search(address, max(0, len(address) - 34))):
            address = address[: entity.start()]
        elif address[-1] == ";":
            address = address[:-1]
        else:
            break
    return address
