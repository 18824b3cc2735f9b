"""Next's metadata shapes, in snake_case, written as files.

Owns what `sitemap()`, `robots()` and `manifest()` may return: the keys of the three shapes. Runs no site
code; the formats are owned by `sitemap` and `robots`.
Sources: Next.js 16, "sitemap.xml", "robots.txt", "manifest.json"; W3C, Web Application Manifest; Google
Search Central, "Video sitemaps".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.site_files.robots import HINTS, Group, document, path_fault, value_fault
from pybuild.site_files.sitemap import MAX_BYTES, MAX_LOC, MAX_URLS, Entry, index_document, url_element
from pybuild.site_files.sitemap import urlset_document as urlset
from pybuild.site_files.values import Reader
from pybuild.site_files.xml_text import escape
from pybuild.urls import absolute, encode

CODE = "bad-response"
Written = tuple[bytes, tuple[Diagnostic, ...]]  # b"" where the shape cannot be read at all

_ENTRY_KEYS = ("url", "last_modified", "change_frequency", "priority", "alternates", "images", "videos")
_FREQUENCIES = ("always", "hourly", "daily", "weekly", "monthly", "yearly", "never")
_VIDEO_KEYS = (  # in the order of Google's schema
    "thumbnail_loc",
    "title",
    "description",
    "content_loc",
    "player_loc",
    "duration",
    "expiration_date",
    "rating",
    "view_count",
    "publication_date",
    "family_friendly",
    "restriction",
    "platform",
    "requires_subscription",
    "uploader",
    "live",
    "tag",
)
_VIDEO_ATTRIBUTES = {"restriction": "relationship", "platform": "relationship", "uploader": "info"}
_ROBOTS_KEYS = ("rules", "sitemap", "host")
_RULE_KEYS = ("user_agent", "disallow", "allow", "crawl_delay", "content_signal")
_ICON_KEYS = ("src", "sizes", "type", "purpose", "label", "form_factor", "platform")
_MANIFEST_PARTS: dict[str, tuple[str, ...]] = {
    "icons": _ICON_KEYS,
    "screenshots": _ICON_KEYS,
    "shortcuts": ("name", "short_name", "description", "url", "icons"),
    "related_applications": ("platform", "url", "id", "min_version", "fingerprints"),
}
_MANIFEST_KEYS = (
    "name",
    "short_name",
    "description",
    "id",
    "start_url",
    "scope",
    "display",
    "display_override",
    "orientation",
    "dir",
    "lang",
    "theme_color",
    "background_color",
    "categories",
    *_MANIFEST_PARTS,
    "prefer_related_applications",
    "iarc_rating_id",
    "launch_handler",
    "handle_links",
    "protocol_handlers",
    "file_handlers",
    "share_target",
    "scope_extensions",
)
_DISPLAYS = ("fullscreen", "standalone", "minimal-ui", "browser", "window-controls-overlay")


def sitemap_bytes(entries: object, config: Config, location: Location) -> Written:
    """Write the list that `sitemap()` returned, in its order.

    Each entry: `url` (absolute, or `/…` below the site), `last_modified` (date, datetime or text),
    `change_frequency`, `priority`, `alternates` (`{"languages": {code: url}}`), `images`, `videos`.
    Finding: `bad-response`, also past the limits of one sitemap.
    """
    reader = Reader(CODE, location, "sitemap")
    if not _is_list(entries):
        reader.wrong("sitemap", "a list of entries", entries)
        return b"", tuple(reader.findings)
    listed: list[Any] = list(entries)  # type: ignore[call-overload]
    read = [_entry(reader, item, f"[{index}]", config) for index, item in enumerate(listed)]
    body = urlset(url_element(entry) for entry in read if entry)
    if len(read) > MAX_URLS or len(body) > MAX_BYTES:
        message = (
            f"it has {len(read)} entries and {len(body)} bytes; {MAX_URLS} and {MAX_BYTES} are the limits"
        )
        reader.fault(message, "return the ids of several sitemaps from generate_sitemaps()")
    return body, tuple(reader.findings)


def sitemap_index_bytes(paths: Iterable[str], config: Config) -> bytes:
    """Write the index of the sitemaps that `generate_sitemaps()` made, of output paths: `sitemap/0.xml`."""
    return index_document((absolute(config.site.url, "/" + path), "") for path in paths)


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def _entry(reader: Reader, value: object, place: str, config: Config) -> Entry | None:
    table = reader.table(value, place, _ENTRY_KEYS)
    if "url" not in table:
        if isinstance(value, Mapping):
            reader.fault(f'{place} has no "url"', 'add "url" with the address of the page')
        return None
    site_url = config.site.url
    loc = reader.address(table["url"], f"{place}.url", site_url=site_url)
    if isinstance(table["url"], str) and not table["url"].strip():
        reader.fault(f"{place}.url is empty", 'write the address of the page, such as "/about"')
    if not loc:
        return None
    if len(loc) >= MAX_LOC:
        reader.fault(f"{place}.url has {len(loc)} characters", f"keep it below {MAX_LOC}")
    moment, frequency = table.get("last_modified", ""), table.get("change_frequency", "")
    alternates = reader.table(table.get("alternates", {}), f"{place}.alternates", ("languages",))
    images, place_images = reader.items(table.get("images", [])), f"{place}.images"
    videos = reader.items(table.get("videos", []))
    return Entry(
        loc,
        lastmod=reader.moment(moment, f"{place}.last_modified", config.zone) if moment else "",
        changefreq=reader.choice(frequency, f"{place}.change_frequency", _FREQUENCIES),
        priority=_priority(reader, table["priority"], place) if "priority" in table else "",
        alternates=_languages(
            reader, alternates.get("languages", {}), f"{place}.alternates.languages", site_url
        ),
        images=tuple(url for x in images if (url := reader.address(x, place_images, site_url=site_url))),
        videos=tuple(_video(reader, video, f"{place}.videos", config) for video in videos),
    )


def _priority(reader: Reader, value: object, place: str) -> str:
    number = reader.number(value, f"{place}.priority")
    if number is None:
        return ""
    if not 0 <= number <= 1:
        reader.fault(f'"{place}.priority" is {number:g}', "write a number from 0 to 1")
        return ""
    return f"{number:g}" if number != int(number) else f"{number:.1f}"


def _languages(reader: Reader, value: object, place: str, site_url: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        reader.wrong(place, "a mapping", value)
        return ()
    pairs = (
        (reader.language(code, place), reader.address(url, f"{place}.{code}", site_url=site_url))
        for code, url in value.items()
    )
    return tuple((code, url) for code, url in pairs if code and url)


def _video(reader: Reader, value: object, place: str, config: Config) -> str:
    table = reader.table(value, place, _VIDEO_KEYS)
    for key in ("title", "thumbnail_loc", "description"):
        if isinstance(value, Mapping) and key not in table:
            reader.fault(f'{place} has no "{key}"', f'add "{key}"; search engines need it')
    parts = (_video_part(reader, key, table[key], place, config) for key in _VIDEO_KEYS if key in table)
    return f"<video:video>{''.join(parts)}</video:video>"


def _video_part(reader: Reader, key: str, value: object, place: str, config: Config) -> str:
    """Write one element; a list (`tag`) is written as one element a member."""
    if isinstance(value, (list, tuple)):
        return "".join(_video_part(reader, key, item, place, config) for item in value)
    attribute, place = "", f"{place}.{key}"
    if key in _VIDEO_ATTRIBUTES and isinstance(value, Mapping):
        name = _VIDEO_ATTRIBUTES[key]
        table = reader.table(value, place, (name, "content"))
        attribute = f' {name}="{escape(reader.text(table[name], place))}"' if name in table else ""
        value = table.get("content", "")
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif key.endswith("_loc"):
        text = reader.address(value, place, site_url=config.site.url)
    else:
        text = (
            reader.moment(value, place, config.zone) if key.endswith("_date") else reader.text(value, place)
        )
    return f"<video:{key}{attribute}>{escape(text)}</video:{key}>"


def robots_bytes(shape: object, config: Config, location: Location) -> Written:
    """Write what `robots()` returned: `{"rules": one rule or a list, "sitemap": URL or URLs, "host": text}`.

    A rule: `user_agent` (text or list; `*` if absent), `disallow`, `allow`, `crawl_delay`, `content_signal`.
    Finding: `bad-response`, also for a value that would end its line.
    """
    reader = Reader(CODE, location, "robots")
    table = reader.table(shape, "robots", _ROBOTS_KEYS)
    groups = [_group(reader, rule) for rule in reader.items(table.get("rules", []))]
    urls = reader.items(table.get("sitemap", []))
    maps = [url for x in urls if (url := reader.address(x, "sitemap", site_url=config.site.url))]
    host = _sound(reader, table.get("host", []), "host")
    body = document(groups, maps, "".join(host[:1])) if isinstance(shape, Mapping) else b""
    if not (body.strip() or reader.findings):
        example = 'return {"rules": {"user_agent": "*", "allow": "/"}}'
        reader.fault(
            "robots() returned no rules",
            f"{example}, or delete the file: the default says where the sitemap is",
        )
    return body, tuple(reader.findings)


def _group(reader: Reader, value: object) -> Group:
    table = reader.table(value, "rules", _RULE_KEYS)
    delay = reader.number(table["crawl_delay"], "crawl_delay") if "crawl_delay" in table else None
    return Group(
        agents=_sound(reader, table.get("user_agent", []), "user_agent") or ("*",),
        disallow=_sound(reader, table.get("disallow", []), "disallow"),
        allow=_sound(reader, table.get("allow", []), "allow"),
        crawl_delay="" if delay is None else f"{delay:g}",
        content_signal=", ".join(_sound(reader, table.get("content_signal", []), "content_signal")),
    )


def _sound(reader: Reader, value: object, key: str) -> tuple[str, ...]:
    """Read one text or several and keep those that fit in their line; `""` says nothing and is left out."""
    fault = path_fault if key in ("disallow", "allow") else value_fault
    kept = []
    for item in reader.items(value):
        if not isinstance(item, str):
            reader.wrong(key, "text", item)
        elif reason := fault(item) if item else "":
            reader.fault(f'"{key}": {item!r} {reason}', HINTS[key])
        elif item:
            kept.append(item)
    return tuple(kept)


def manifest_bytes(shape: object, config: Config, location: Location) -> Written:
    """Write what `manifest()` returned; the keys are those of the web app manifest, in the order given.

    Paths that start with a slash are below the site's base path. Finding: `bad-response`.
    """
    reader = Reader(CODE, location, "manifest")
    table = reader.table(shape, "manifest", _MANIFEST_KEYS)
    for key, value in table.items():
        if key in _MANIFEST_PARTS:
            table[key] = _parts(reader, value, key, config)
        elif key in ("start_url", "scope"):
            table[key] = _based(reader.text(value, key), config)
        elif key == "display":
            reader.choice(value, key, _DISPLAYS)
    try:
        text = json.dumps(table, ensure_ascii=False, indent=2, allow_nan=False)
        body = (text + "\n").encode() if table else b""
    except (TypeError, ValueError) as fault:
        reader.fault(f"it cannot be written as JSON: {fault}", "use text, numbers, lists and mappings")
        body = b""
    return body, tuple(reader.findings)


def _parts(reader: Reader, value: object, key: str, config: Config) -> list[dict[str, Any]]:
    """Read the members of `icons`, `screenshots`, `shortcuts` or `related_applications`."""
    if not _is_list(value):
        reader.wrong(key, "a list", value)
        return []
    read = []
    for item in reader.items(value):
        table = reader.table(item, key, _MANIFEST_PARTS[key])
        for name in ("src", "url"):
            if name in table:
                table[name] = _based(reader.text(table[name], f"{key}.{name}"), config)
        if "icons" in table:
            table["icons"] = _parts(reader, table["icons"], "icons", config)
        read.append(table)
    return read


def _based(url: str, config: Config) -> str:
    """Put the base path before a path from the root: a manifest's URLs start at the host, not at the site."""
    is_path = url.startswith("/") and not url.startswith("//")
    return encode(config.site.base_path) + url if is_path else url
