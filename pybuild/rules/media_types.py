"""Media types by file suffix, one table for every host and for the preview.

Owns the Content-Type a suffix stands for. Knows no file. Sources: the IANA registry of media types;
RFC 7763 for text/markdown; RFC 9239 for JavaScript.
"""

from __future__ import annotations

OCTETS = "application/octet-stream"
SUFFIX_TYPES: dict[str, str] = {
    "aac": "audio/aac",
    "atom": "application/atom+xml",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "eot": "application/vnd.ms-fontobject",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "htm": "text/html; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "ics": "text/calendar; charset=utf-8",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "jxl": "image/jxl",
    "map": "application/json",
    "md": "text/markdown; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "png": "image/png",
    "rss": "application/rss+xml",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ttf": "font/ttf",
    "txt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
}


def suffix(path: str) -> str:
    """The suffix of the last segment in lower case: `a/b.min.js` → `js`; `""` when there is none."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name.strip(".") else ""


def type_of(path: str) -> str:
    """What a host answers for `path` when nothing else is said; `""` when the suffix says nothing."""
    return SUFFIX_TYPES.get(suffix(path), "")


def same_type(one: str, other: str) -> bool:
    """Whether two Content-Types differ in spelling only."""
    return _plain(one) == _plain(other)


def _plain(media_type: str) -> str:
    return media_type.lower().replace(" ", "").replace('"', "")
