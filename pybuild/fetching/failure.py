"""Why a fetch gave no answer, in words that may be printed.

Owns the exception and the form of an address without what is secret in it. Knows no page.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SECRET = re.compile(
    r"key|token|secret|pass|pwd|auth|sig|jwt|credential|session|cookie|bearer|code|hash", re.I
)


def is_secret_name(name: str) -> bool:
    """Whether a parameter or a header field is named as those are whose values are secret."""
    return bool(_SECRET.search(name))


class FetchFailed(Exception):
    """A source that could not be asked, or that answered with an error.

    `hint` says what to do; `status` is 0 where no answer came.
    """

    def __init__(self, message: str, hint: str, *, url: str, status: int = 0, keeps: bool = False) -> None:
        super().__init__(message)
        self.hint, self.url, self.status = hint, url, status
        self.keeps = keeps  # whether the page of the last export may stand for this one

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (str(self), self.hint, self.url, self.status, self.keeps)


def _again(message: str, hint: str, url: str, status: int, keeps: bool) -> FetchFailed:
    return FetchFailed(message, hint, url=url, status=status, keeps=keeps)


def shown_url(url: str) -> str:
    """An address without user info, fragment, and the values of parameters that look secret."""
    parts = urlsplit(url)
    query = parts.query
    if has_secret(url):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode(
            [(name, "***" if is_secret_name(name) else value) for name, value in pairs], safe="*"
        )
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def has_secret(url: str) -> bool:
    """Whether an address carries user info, or a parameter whose name says that its value is secret."""
    parts = urlsplit(url)
    return "@" in parts.netloc or any(
        is_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)
    )
