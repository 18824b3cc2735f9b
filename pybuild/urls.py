"""URLs and output paths: one place that encodes, one that judges names.

Owns the spelling of URLs (decoded inside the program, percent-encoded once on the way out), the
rules for a path segment that every file system can carry, and the key by which two paths collide.
Knows no route and touches no disk.
Sources: RFC 3986 §3.3 (pchar); Microsoft, "Naming Files, Paths, and Namespaces"; Unicode UAX #15.

A `url` starts with `/` and is decoded text. A `path` is POSIX, relative to the output, in NFC.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

SEGMENT_BYTES = 200  # UTF-8; leaves room for ".html" and a temporary suffix under the usual 255
PATH_BYTES = 1000
_PCHAR = "/:@!$&'()*+,;=~"  # RFC 3986 pchar beyond unreserved letters, and the separator
_WINDOWS = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.I)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_SAFE_SCHEMES = frozenset({"", "http", "https", "mailto", "tel", "sms", "ftp"})
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f]")  # browsers take them out of a scheme
_JOINERS = "\u200c\u200d"  # needed to write some languages and emoji


_UNRESERVED = re.compile("[A-Za-z0-9/_.~-]*")
_WITHOUT_HOST = re.compile("(?!//)[A-Za-z0-9/_.~%?#&=+-]*")


def encode(url: str) -> str:
    """Percent-encode a decoded URL path once: `/café 1` → `/caf%C3%A9%201`."""
    return url if _UNRESERVED.fullmatch(url) else quote(url, safe=_PCHAR)


def absolute(base: str, url: str) -> str:
    """Join the site's address and a decoded URL: `https://a.example/b`, `/c` → `https://a.example/b/c`."""
    return base.rstrip("/") + encode(url)


def is_external(href: str) -> bool:
    """Whether an href leaves the site by scheme or host (`https:`, `mailto:`, `//host`)."""
    if _WITHOUT_HOST.fullmatch(href):
        return False
    try:
        parts = urlsplit(href)
    except ValueError:
        return True
    return bool(parts.scheme or parts.netloc)


def is_safe(href: str) -> bool:
    """Whether an href's scheme is one that is harmless behind a link."""
    if ":" not in href or (href.startswith(("https://", "http://")) and "[" not in href):
        return True
    try:
        return urlsplit(_IGNORED.sub("", href)).scheme.lower() in _SAFE_SCHEMES
    except ValueError:
        return False


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def collision_key(path: str) -> str:
    """Fold a path so that two which some file system would store in one file are equal.

    Letter case and Unicode form are folded: `É.html` and `e` + combining acute + `.html` are one file.
    """
    return nfc(unicodedata.normalize("NFD", path).casefold())


_PLAIN = re.compile("[A-Za-z0-9_][A-Za-z0-9_-]{4,99}")  # longer than the names of devices


def segment_fault(text: str) -> str | None:
    """Say why `text` cannot be one decoded path segment on every system, or None when it can."""
    if _PLAIN.fullmatch(text):
        return None
    if not text:
        return "it is empty"
    if text in {".", ".."}:
        return "it leaves its segment"
    if "/" in text or "\\" in text:
        return "it holds a slash"
    return _character_fault(text) or _name_fault(text)


def _character_fault(text: str) -> str | None:
    for char in text:
        category = unicodedata.category(char)
        if category == "Cs":
            return f"it holds the lone surrogate U+{ord(char):04X}, which UTF-8 cannot carry"
        if category in {"Cc", "Zl", "Zp"} or (category == "Cf" and char not in _JOINERS):
            return f"it holds the control or format character U+{ord(char):04X}"
    found = _WINDOWS.search(text)
    return f"it holds {found[0]!r}, which Windows refuses in a file name" if found else None


def _name_fault(text: str) -> str | None:
    if _ESCAPE.search(text):
        return "it looks percent-encoded; values are decoded text"
    if text[-1] in ". ":
        return "it ends with a dot or a space, which Windows drops"
    if _DEVICE.fullmatch(text):
        return "it is the name of a device on Windows"
    size = len(nfc(text).encode("utf-8"))
    return f"it is {size} bytes long; {SEGMENT_BYTES} is the limit" if size > SEGMENT_BYTES else None


def path_fault(path: str) -> str | None:
    """Say why a relative output path cannot be written everywhere, or None when it can."""
    if len(path.encode("utf-8", "surrogatepass")) > PATH_BYTES:
        return f"it is over {PATH_BYTES} bytes long"
    return next((fault for part in path.split("/") if (fault := segment_fault(part))), None)


def page_path(url: str, *, trailing_slash: bool) -> str:
    """Name the HTML file of a page: `/` → `index.html`, `/a` → `a.html` or `a/index.html`."""
    if url == "/":
        return "index.html"
    return url[1:] + ("/index.html" if trailing_slash else ".html")


def page_href(url: str, *, trailing_slash: bool) -> str:
    """The address a browser is given for a page, decoded: `/a` or, with trailing slashes, `/a/`."""
    return url + "/" if trailing_slash and url != "/" else url


def variant_urls(url: str, *, trailing_slash: bool) -> tuple[str, ...]:
    """The URLs of a page's Markdown variant, the canonical one first."""
    if url == "/":
        return ("/index.md",)
    return (url + "/index.md", url + ".md") if trailing_slash else (url + ".md",)
