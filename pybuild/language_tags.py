"""Language tags as BCP 47 has them: whether one is well formed, and what to write in its place.

Owns the grammar, not the registry: a primary language has two or three letters. Source: RFC 5646 §2.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_EXTLANG = r"(?:-[a-z]{3}){0,3}"
_VARIANT = r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
_EXTENSION = r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"
_PRIVATE = r"x(?:-[a-z0-9]{1,8})+"
_TAG = re.compile(
    rf"[a-z]{{2,3}}{_EXTLANG}(?:-[a-z]{{4}})?(?:-(?:[a-z]{{2}}|[0-9]{{3}}))?{_VARIANT}{_EXTENSION}(?:-{_PRIVATE})?"
    rf"|{_PRIVATE}|i-[a-z]{{3,8}}",
    re.I,
)

NAMES: Mapping[str, str] = {  # of languages, as their speakers write them
    "ar": "العربية",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
    "pt": "Português",
    "zh": "中文",
}


def is_language_tag(text: str) -> bool:
    return bool(_TAG.fullmatch(text))


def language_hint(text: str) -> str:
    """What to write in place of a tag that is none: `de_DE` → `write "de-DE"`."""
    dashed = text.strip().replace("_", "-").partition(".")[0]
    return f'write "{dashed}"' if is_language_tag(dashed) else "write a tag such as en, de-DE or zh-Hans"
