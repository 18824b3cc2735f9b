"""Security headers: what `[security]` asks for, and the Content-Security-Policy that each page needs.

Owns the values of the headers and the reading of a finished page for what runs, loads or is shown in it. Knows no
host: the headers become rules like any others, before those of handlers and of the settings, which win.
Sources: CSP Level 3, §2.3 (hashes), §6 (directives); RFC 6797; Referrer Policy; HTML, "Cross-origin opener policies".
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import Files, Headers
from pybuild.rules.evaluate import NOT_FOUND
from pybuild.rules.model import SetHeaders
from pybuild.rules.patterns import parse_pattern

LONGEST = (
    4096  # characters of a policy; hosts and what is in front of them take some kilobytes of headers in all
)
_BASIC = (
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
_STRICT = (
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "default-src": ("'self'",),
    "base-uri": ("'self'",),
    "font-src": ("'self'", "data:", "https:"),
    "form-action": ("'self'",),
    "frame-ancestors": ("'self'",),
    "frame-src": ("'self'",),
    "img-src": ("'self'", "data:", "https:"),
    "media-src": ("'self'", "data:", "https:"),
    "object-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
}
_RUN = frozenset(
    {"", "module", "importmap", "speculationrules"}
)  # types of scripts beside those of JavaScript
_LOADED = (  # selectors with the attribute that names what is loaded
    ("script[src]", "src", "script-src"),
    ('link[rel~="stylesheet"][href]', "href", "style-src"),
    ("iframe[src]", "src", "frame-src"),
    ("form[action]", "action", "form-action"),
    ("object[data]", "data", "object-src"),
    ("embed[src]", "src", "object-src"),
)
Needs = frozenset[tuple[str, str]]  # (directive, source)


def security_rules(config: Config, needs: Needs = frozenset()) -> tuple[SetHeaders, ...]:
    """The headers for every address. `needs` is that of the page for errors, which any address may show."""
    settings = config.settings.security
    hsts = (("Strict-Transport-Security", f"max-age={settings.hsts}"),) if settings.hsts else ()
    named = {"none": (), "basic": _BASIC, "strict": (*_BASIC, *_STRICT)}[settings.headers]
    policy = (("Content-Security-Policy", policy_of(needs)),) if settings.headers == "strict" else ()
    pairs: Headers = (*policy, *named, *hsts)
    return (SetHeaders(Location(), parse_pattern("/(.*)"), pairs),) if pairs else ()


def page_headers(
    config: Config, files: Files, read: Callable[[str], bytes]
) -> tuple[dict[str, Headers], Needs, tuple[Diagnostic, ...]]:
    """The policies of pages that need more than every address has, by path, and what the page for errors needs.

    `read` gives the bytes of a file of the output. Finding: `rule-limit`.
    """
    if config.settings.security.headers != "strict":
        return {}, frozenset(), ()
    lost = needs_of(read(NOT_FOUND)) if NOT_FOUND in files else frozenset[tuple[str, str]]()
    found: dict[str, Headers] = {}
    findings: list[Diagnostic] = []
    for path, file in files.items():
        own = any(name.lower() == "content-security-policy" for name, _ in file.headers)
        is_page = path.endswith(".html") and path != NOT_FOUND and not own
        needs = needs_of(read(path)) if is_page else frozenset()
        if needs - lost:
            policy = policy_of(needs)
            found[path] = (("Content-Security-Policy", policy),)
            if len(policy) > LONGEST:
                message = (
                    f"{file.url or '/' + path} needs a Content-Security-Policy of {len(policy):,} characters"
                )
                hint = "put its inline scripts and styles into files of public/"
                findings.append(Diagnostic("rule-limit", message, Location(file.origin), hint))
    return found, lost, tuple(findings)


def policy_of(needs: Iterable[tuple[str, str]]) -> str:
    """The policy of a page: `default-src 'self'; …; script-src 'self' 'sha256-…'`."""
    own: dict[str, list[str]] = {}
    for directive, source in sorted(needs):
        own.setdefault(directive, []).append(source)
    parts = []
    for directive, usual in _SOURCES.items():
        kept = usual if usual != ("'none'",) or directive not in own else ()
        parts.append(" ".join((directive, *kept, *own.get(directive, ()))))
    return "; ".join(parts)


def needs_of(body: bytes) -> Needs:
    """What a page needs beyond the policy that every address has."""
    tree = LexborHTMLParser(body.decode("utf-8", "replace").replace("\r\n", "\n"))
    return frozenset((*_inline(tree), *_loaded(tree)))


def _inline(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    for script in tree.css("script:not([src])"):
        kind = (script.attributes.get("type") or "").strip().lower()
        if kind in _RUN or "javascript" in kind or "ecmascript" in kind:
            yield "script-src", _hash(script.text())
    yield from (("style-src", _hash(style.text())) for style in tree.css("style"))
    for node in tree.css("*"):
        for name, value in node.attributes.items():
            directive = "style-src" if name == "style" else "script-src" if name.startswith("on") else ""
            if directive and value:
                yield directive, "'unsafe-hashes'"
                yield directive, _hash(value)


def _loaded(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    if tree.css_first("[data-pb-pagefind]"):
        yield "script-src", "'wasm-unsafe-eval'"  # of Pagefind
    for selector, attribute, directive in _LOADED:
        for node in tree.css(selector):
            parts = urlsplit((node.attributes.get(attribute) or "").strip())
            if parts.netloc:
                yield directive, f"{parts.scheme or 'https'}://{parts.netloc}"
            elif directive == "object-src":
                yield directive, "'self'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
