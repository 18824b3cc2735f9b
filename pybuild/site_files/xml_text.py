"""Text that may stand in XML, HTML or one line of a plain file.

Owns the removal of characters that no XML parser accepts and the one escaping function of the hand-written
XML. Knows no document format.
Source: XML 1.0 (fifth edition) §2.2 Char, §2.11 line ends, §3.3.3 attribute-value normalisation.
"""

from __future__ import annotations

import re

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ENTITIES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        # A parser turns these into spaces or line feeds unless they are references.
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


def xml_text(text: str) -> str:
    """Remove what XML cannot carry: most control characters, lone surrogates, U+FFFE and U+FFFF."""
    return _ILLEGAL.sub("", text)


def escape(text: str) -> str:
    """Write text for element content or a double-quoted attribute, so that a parser reads the same back."""
    return xml_text(text).translate(_ENTITIES)


def one_line(text: str) -> str:
    """Remove control characters and turn every run of white space, line ends included, into one space."""
    return " ".join(_CONTROL.sub("", text).split())
