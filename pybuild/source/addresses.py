"""Addresses that a document gives itself in front matter: `slug`, `permalink`, `aliases`.

Owns what may stand there and what becomes of it. Reads no file; whether two documents take one address, or an
alias that of another page, is the plan's to say. Source: docs/content.md, "Addresses".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.urls import nfc, path_fault

ALIAS_KEYS = ("aliases", "redirect_from")
_OF_OTHERS: Mapping[str, str] = {
    **dict.fromkeys(("url", "uri", "path", "link"), "permalink"),
    **dict.fromkeys(("alias", "redirects", "redirect-from", "redirectFrom"), "aliases"),
}  # keys of other builders, and what they are here
_KEYS = frozenset(("slug", "permalink", *ALIAS_KEYS))
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What front matter asks for; "" and () where it is silent."""

    slug: str = ""  # the last segment, decoded
    permalink: str = ""  # decoded, without a trailing slash
    aliases: tuple[str, ...] = ()  # decoded, without a trailing slash


_SILENT = Asked()


def asked_addresses(
    meta: Mapping[str, Any], base_path: str, fault: Callable[[str, str, str], None] = lambda *_: None
) -> Asked:
    """Read the keys; `fault` takes a key, what is wrong with it and what to write."""
    if meta.keys().isdisjoint(_KEYS):
        return _SILENT

    def address(key: str, value: object) -> str:
        text = nfc(value.strip()) if isinstance(value, str) else ""
        reason = _fault(text, base_path) if isinstance(value, str) else "it is no text"
        if reason:
            fault(
                key,
                f'{key} cannot be "{value}": {reason}',
                f"write the decoded path of this site: {key}: /a/b",
            )
            return ""
        return text.rstrip("/") or "/"

    slug, permalink = meta.get("slug"), meta.get("permalink")
    name = nfc(slug.strip()) if isinstance(slug, str) else ""
    if slug is not None and ("/" in name or not name or (reason := path_fault(name))):
        reason = "it is one segment" if "/" in name else "it is empty" if not name else reason
        fault(
            "slug",
            f'slug cannot be "{slug}": {reason}',
            "write the last segment of the address; permalink takes all of it",
        )
        name = ""
    aliases = [
        found for key in ALIAS_KEYS for value in _listed(meta.get(key)) if (found := address(key, value))
    ]
    whole = "" if permalink is None else address("permalink", permalink)
    return Asked(name, whole, tuple(dict.fromkeys(aliases)))


def _listed(value: object) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _fault(text: str, base_path: str) -> str:
    """Why a text is no address of this site, or ""."""
    if not text.startswith("/") or text.startswith("//"):
        return "it does not begin with one slash"
    if "?" in text or "#" in text:
        return "it has a query or a fragment"
    if _ESCAPE.search(text):
        return "it is percent-encoded"
    if base_path and (text + "/").startswith(base_path + "/"):
        return f"it begins with the base path {base_path}"
    return (
        ""
        if text == "/"
        else path_fault(text.strip("/")) or ("" if "//" not in text else "it has an empty segment")
    )


def foreign_keys(meta: Mapping[str, Any], place: Callable[[str], Location]) -> Iterator[Diagnostic]:
    """Warn of keys that other builders read as addresses."""
    for key, known in () if meta.keys().isdisjoint(_OF_OTHERS) else _OF_OTHERS.items():
        value = meta.get(key)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str) and first.startswith("/") and known not in meta:
            message = f'"{key}" is data and no address'
            yield warning("front-matter-error", message, place(key), f'write "{known}" in its place')
