"""Secrets: values of the environment that must not be published, nor printed.

Owns which variables hold one, how it may be spelled in HTML, JSON, URLs, messages and rules, finding it in bytes
and files, and masking it in text. Reads no environment: `config` does. A value that was encoded otherwise (base64)
or cut in two is not found.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.urls import encode

_CHUNK = 1 << 20  # bytes
_SHORTEST, _SHORTEST_SENT = 8, 6  # characters; shorter values stand in every page by chance
_LINE = 16  # characters; of a value with line breaks, each line of this length is a secret of its own
_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|JWT|BEARER"
    r"|WEBHOOK|COOKIE|AUTH(?!OR(?!I))|DSN$|PWD$|(?:^|[_.-])(?:KEYS?|PAT|PASS)(?:[_.-]?\d+)?$",
    re.I,
)
_PLACES = re.compile(r"(?:OLD)?PWD|XAUTHORITY|.*_SOCK", re.I)  # paths on this machine
_USER_INFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^\s:/?#@]*):([^\s/?#]+)@")
_EXAMPLES = frozenset({"password", "passwort", "postgres", "postgresql", "changeme", "username", "anonymous"})
Secrets = Mapping[str, tuple[str, ...]]  # by the name of a variable, what of its value must not be seen


def secrets_of(
    environment: Mapping[str, str], *, sent: Collection[str], public: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Choose the variables whose values must not leave, sorted by name, with what of each must not be seen.

    `sent` are those that proxies send: secret whatever their name. `public` are those that the settings name as
    public; a value that a variable named `PYBUILD_PUBLIC_…` has too is public as well. Of a variable whose name
    is not secret only the passwords inside its addresses are.
    """
    shown = {value.strip() for name, value in environment.items() if name.startswith("PYBUILD_PUBLIC_")}
    found = {}
    for name, value in sorted(environment.items()):
        if value.strip() in shown or (name in public and name not in sent):
            continue
        if name in sent:
            found[name] = _parts(value, _SHORTEST_SENT)
        elif _SECRET_NAME.search(name) and not _PLACES.fullmatch(name):
            found[name] = _parts(value, _SHORTEST)
        else:
            found[name] = tuple(_passwords(value))
    return {name: parts for name, parts in found.items() if parts}


def _parts(value: str, shortest: int) -> tuple[str, ...]:
    """What of a value must not be seen: all of it, its longer lines, the passwords in its addresses."""
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n|\\r\\n|\\n", value)]
    long = (line for line in lines if len(line) >= _LINE and not line.startswith("-----"))
    wanted = dict.fromkeys((value.strip(), " ".join(value.split()), *long, *_passwords(value)))
    return tuple(part for part in wanted if len(part) >= shortest)


def _passwords(value: str) -> Iterator[str]:
    """The passwords inside the addresses of a value: `postgres://app:PASSWORD@db/x`. Examples are none."""
    for user, password in _USER_INFO.findall(value):
        if len(password) >= _SHORTEST and password != user and password.lower() not in _EXAMPLES:
            yield from dict.fromkeys((password, unquote(password)))


def _as_text(value: str) -> Iterator[str]:
    """A value as it is, as Python and JSON quote it, as URLs carry it, and as rules of hosts escape it."""
    quoted = json.dumps(value)[1:-1]
    unicode = json.dumps(value, ensure_ascii=False)[1:-1]
    yield from (value, repr(value)[1:-1], ascii(value)[1:-1], repr(value.encode("utf-8", "replace"))[2:-1])
    for text in (quoted, unicode):
        yield from (text, text.replace("/", "\\/"), text.replace("'", "\\'"))
        for sign in "<>&'":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        yield text
    encoded = value.encode("utf-8", "surrogateescape")
    urls = {quote(encoded, safe=safe) for safe in ("", "/", "%/:@!$&'()*+,;=~?[]", "%;/?:@&=+$,-_.!~*'()#")}
    for text in (*urls, quote_plus(encoded), encode(value.encode("utf-8", "replace").decode())):
        yield from (text, re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text))
    yield from (value.replace("$", "$$"), value.replace("%", "%%"), value.replace("\\", "\\\\"))
    yield from (re.escape(value), re.sub(r"([{}$%])", r"\\\1", value))


@lru_cache(maxsize=4)
def _spellings(secrets: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, str], ...]:
    """Each value in each spelling with the name of its variable; the longest first, so that none is cut by another."""
    found: dict[str, str] = {}
    for name, parts in secrets:
        for text in (text for part in parts for text in _as_text(part)):
            quoted = html.escape(text)
            templates = quoted.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
            xml = quoted.replace("&#x27;", "'")
            for spelled in (text, quoted, templates, xml, html.escape(text, quote=False)):
                found.setdefault(spelled, name)
    ordered = sorted(found.items(), key=lambda item: (-len(item[0]), item))
    return tuple((name, spelled) for spelled, name in ordered)


@lru_cache(maxsize=4)
def _encoded(secrets: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, text.encode("utf-8", "surrogatepass")) for name, text in _spellings(secrets))


def leak_in(body: bytes, secrets: Secrets) -> str:
    """The name of a variable whose value is in `body`, or `""`."""
    if not secrets:
        return ""
    return next((name for name, spelled in _encoded(tuple(secrets.items())) if spelled in body), "")


def leak_in_file(file: Path, secrets: Secrets) -> str:
    """The name of a variable whose value is in a file, or `""`. Reads a piece at a time."""
    if not secrets:
        return ""
    reach = max(len(spelled) for _, spelled in _encoded(tuple(secrets.items())))
    kept = b""
    with file.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            if name := leak_in(kept + piece, secrets):
                return name
            kept = (kept + piece)[-reach:]
    return ""


def leak_finding(name: str, path: str, origin: str) -> Diagnostic:
    """Refuse an output file. `origin` is what made it; one in brackets is no file of the site."""
    at = Location("" if origin.startswith("[") else origin)
    message = f"{path} would publish the value of the environment variable {name}"
    hint = f'keep {name} out of what is rendered; if all may read its value, write public_env = ["{name}"] below [build]'
    return Diagnostic("secret-in-output", message, at, hint)


def masked(text: str, secrets: Secrets) -> str:
    """Text with the name of the variable in place of each value, however it is spelled: `$API_TOKEN`."""
    for name, spelled in _spellings(tuple(secrets.items())) if secrets else ():
        text = text.replace(spelled, f"${name}")
    return text


def masked_finding(finding: Diagnostic, secrets: Secrets) -> Diagnostic:
    """A finding that may be printed or kept: site code may have raised an error with a secret in it."""
    if not secrets:
        return finding
    notes = tuple(
        Note(masked(note.message, secrets), _masked_place(note.location, secrets)) for note in finding.notes
    )
    message, hint = masked(finding.message, secrets), masked(finding.hint, secrets)
    place = _masked_place(finding.location, secrets)
    subject = masked(finding.subject, secrets)
    return replace(finding, message=message, hint=hint, notes=notes, location=place, subject=subject)


def masked_findings(findings: Iterable[Diagnostic], secrets: Secrets) -> tuple[Diagnostic, ...]:
    return tuple(masked_finding(finding, secrets) for finding in findings)


def _masked_place(place: Location, secrets: Secrets) -> Location:
    return replace(place, file=masked(place.file, secrets))
