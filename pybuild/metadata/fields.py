"""The tables of metadata, read into pairs of names and texts.

Owns which keys Open Graph, Twitter cards, robots, icons and JSON-LD take, and the names they have in HTML.
Knows no layer and writes no markup.
Sources: ogp.me; developer.x.com, "Cards markup"; Google, "Robots meta tag"; Next.js 16, "Metadata fields";
RFC 8259 and HTML 13.2.5.4 for JSON inside `<script>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from pybuild.site_files.values import Reader

Pair = tuple[str, str]
Pairs = tuple[Pair, ...]
Types = tuple[tuple[str, str, str], ...]  # (media type, URL, title or "")
Address = Callable[[Reader, object, str], str]  # reads a URL as an absolute one, "" where it is none

META_NAMES = {
    "application_name": "application-name",
    "category": "category",
    "color_scheme": "color-scheme",
    "creator": "creator",
    "generator": "generator",
    "publisher": "publisher",
    "referrer": "referrer",
    "theme_color": "theme-color",
}
_OG_TEXT = {
    "type": "og:type",
    "title": "og:title",
    "description": "og:description",
    "url": "og:url",
    "site_name": "og:site_name",
    "locale": "og:locale",
    "determiner": "og:determiner",
    "section": "article:section",
    "published_time": "article:published_time",
    "modified_time": "article:modified_time",
    "expiration_time": "article:expiration_time",
}
_OG_LISTS = {"alternate_locale": "og:locale:alternate", "authors": "article:author", "tags": "article:tag"}
_OG_MEDIA = {"images": "og:image", "videos": "og:video", "audio": "og:audio"}
OG_ORDER = (*list(_OG_TEXT)[:7], "alternate_locale", *_OG_MEDIA, *list(_OG_TEXT)[7:], "authors", "tags")
_MEDIA_KEYS = ("url", "secure_url", "type", "width", "height", "alt")
TWITTER_ORDER = (
    "card",
    "site",
    "site_id",
    "creator",
    "creator_id",
    "title",
    "description",
    "images",
)
_CARDS = ("summary", "summary_large_image", "player", "app")
_ROBOTS_FLAGS = {
    "index": ("index", "noindex"),
    "follow": ("follow", "nofollow"),
    "noarchive": ("noarchive", ""),
    "nosnippet": ("nosnippet", ""),
    "noimageindex": ("noimageindex", ""),
    "nocache": ("nocache", ""),
    "notranslate": ("notranslate", ""),
    "indexifembedded": ("indexifembedded", ""),
    "nositelinkssearchbox": ("nositelinkssearchbox", ""),
}
_ROBOTS_VALUES = {
    "unavailable_after": "unavailable_after",
    "max_snippet": "max-snippet",
    "max_image_preview": "max-image-preview",
    "max_video_preview": "max-video-preview",
}
_ICON_RELS = {"icon": "icon", "shortcut": "shortcut icon", "apple": "apple-touch-icon"}
_ICON_KEYS = ("url", "type", "sizes", "media", "color", "rel")
_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def open_graph(reader: Reader, value: object, address: Address, zone: ZoneInfo) -> dict[str, Pairs]:
    """Read `open_graph`: each key to its (property, content) pairs."""
    read: dict[str, Pairs] = {}
    for key, given in reader.table(value, "open_graph", OG_ORDER).items():
        place = f"open_graph.{key}"
        if key in _OG_MEDIA:
            read[key] = _media(reader, given, address, key)
        elif key in _OG_LISTS:
            read[key] = tuple((_OG_LISTS[key], text) for text in reader.texts(given, place))
        else:
            if key.endswith("_time"):
                text = reader.moment(given, place, zone)
            else:
                text = address(reader, given, place) if key == "url" else reader.text(given, place)
            read[key] = ((_OG_TEXT[key], text),) if text else ()
    return read


def _media(reader: Reader, value: object, address: Address, key: str) -> Pairs:
    """Read images, videos or audio: URLs, or mappings with `url`, `alt`, `width`, `height`, `type`."""
    pairs: list[Pair] = []
    place, name = f"open_graph.{key}", _OG_MEDIA[key]
    for item in reader.items(value):
        table = reader.table(item, place, _MEDIA_KEYS) if isinstance(item, Mapping) else {"url": item}
        url = address(reader, table.get("url"), f"{place}.url")
        if not url:
            continue
        pairs.append((name, url))
        if "secure_url" in table and (secure := address(reader, table["secure_url"], f"{place}.secure_url")):
            pairs.append((f"{name}:secure_url", secure))
        for part in _MEDIA_KEYS[2:]:
            if part in table and (text := reader.text(table[part], f"{place}.{part}")):
                pairs.append((f"{name}:{part}", text))
    return tuple(pairs)


def twitter(reader: Reader, value: object, address: Address) -> dict[str, Pairs]:
    """Read `twitter`: each key to its (name, content) pairs."""
    read: dict[str, Pairs] = {}
    for key, given in reader.table(value, "twitter", TWITTER_ORDER).items():
        place = f"twitter.{key}"
        if key == "images":
            read[key] = _twitter_images(reader, given, address)
            continue
        text = reader.choice(given, place, _CARDS) if key == "card" else reader.text(given, place)
        read[key] = ((f"twitter:{key.replace('_id', ':id')}", text),) if text else ()
    return read


def _twitter_images(reader: Reader, value: object, address: Address) -> Pairs:
    pairs: list[Pair] = []
    for item in reader.items(value):
        known = ("url", "alt")
        table = reader.table(item, "twitter.images", known) if isinstance(item, Mapping) else {"url": item}
        if url := address(reader, table.get("url"), "twitter.images.url"):
            pairs.append(("twitter:image", url))
            if "alt" in table and (alt := reader.text(table["alt"], "twitter.images.alt")):
                pairs.append(("twitter:image:alt", alt))
    return tuple(pairs)


def robots(reader: Reader, value: object, key: str = "robots") -> dict[str, str]:
    """Read `robots`, text or a mapping of directives: meta name (`robots`, `googlebot`) to its content."""
    if not isinstance(value, Mapping):
        return {key: reader.text(value, key)}
    known = (*_ROBOTS_FLAGS, *_ROBOTS_VALUES, *(("google_bot",) if key == "robots" else ()))
    words: list[str] = []
    read: dict[str, str] = {}
    for name, given in reader.table(value, key, known).items():
        place = f"{key}.{name}"
        if name == "google_bot":
            read |= robots(reader, given, "googlebot")
        elif name in _ROBOTS_VALUES:
            words.append(f"{_ROBOTS_VALUES[name]}:{reader.text(given, place)}")
        elif (flag := reader.flag(given, place)) is not None:
            words.append(_ROBOTS_FLAGS[name][0 if flag else 1])
    return {key: ", ".join(filter(None, words)), **read}


def is_indexed(robots_text: str) -> bool:
    """Whether a robots text lets a page into an index."""
    words = {word.strip().lower() for word in robots_text.split(",")}
    return not words & {"noindex", "none"}


def icons(reader: Reader, value: object, address: Address) -> dict[str, tuple[Pairs, ...]]:
    """Read `icons`: a URL, a list, or a mapping by kind; each kind to the attributes of its links."""
    table = value if isinstance(value, Mapping) and "url" not in value else {"icon": value}
    read = {}
    for kind, given in reader.table(table, "icons", (*_ICON_RELS, "other")).items():
        links = [_icon(reader, item, address, kind) for item in reader.items(given)]
        read[kind] = tuple(link for link in links if link)
    return read


def _icon(reader: Reader, value: object, address: Address, kind: str) -> Pairs:
    place = f"icons.{kind}"
    table = reader.table(value, place, _ICON_KEYS) if isinstance(value, Mapping) else {"url": value}
    href = address(reader, table.get("url"), f"{place}.url")
    if not href:
        return ()
    texts = {key: reader.text(table[key], f"{place}.{key}") for key in _ICON_KEYS[1:] if key in table}
    rel = texts.pop("rel", "") or _ICON_RELS.get(kind, "icon")
    return (("rel", rel), ("href", href), *((key, text) for key, text in texts.items() if text))


def json_ld(reader: Reader, value: object) -> tuple[str, ...]:
    """Write each mapping as JSON that a script element cannot be closed by."""
    texts = []
    for item in reader.items(value):
        if not isinstance(item, Mapping):
            reader.wrong("json_ld", "a mapping", item)
            continue
        try:
            texts.append(script_json(item))
        except (TypeError, ValueError, RecursionError) as fault:
            hint = "use text, numbers, lists and mappings"
            reader.fault(f'"json_ld" cannot be written as JSON: {fault}', hint)
    return tuple(texts)


def script_json(value: object) -> str:
    """JSON that can stand in a script element. Raises `TypeError`, `ValueError` or `RecursionError`."""
    text = _JSON.encode(value).translate(_SCRIPT)
    return text if text.isascii() else _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _date_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no JSON form")


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_date_text)
