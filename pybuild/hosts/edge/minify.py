"""Makes our own JavaScript smaller, for hosts that count the bytes of code.

Owns the short names of our own words, and the packing of data; comments and blanks are removed by rjsmin. Reads
only what this package itself has written. Knows no host.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rjsmin import jsmin

# Our functions, and words that are neither a key of the data nor a name of the language or the host.
_OURS = re.compile(
    r"\b(?:pb[A-Z]\w*|visit|answer|taken|shape|served|weights|members|weigh|digits|chosen|merged|whole|separator"
    r"|own|pairs|pair|fields|field|parts|part|bare|stem|rule|found|names|ask|weight|suffix|known|exact|media"
    r"|proxy|asks|list|els|key|one|regex|start|cross)\b"
)


def shrink(program: str) -> str:
    """The same program in fewer bytes. Precondition: none of our words stands in a string or a regex of it."""
    names: dict[str, str] = {}
    return _OURS.sub(lambda word: names.setdefault(word[0], f"${len(names):x}"), jsmin(program))


def pack(text: str) -> str:
    """A JavaScript program that makes `PB` of JSON, with each repeated piece written once.

    Signs that the text does not use stand for pieces, the last one made first.
    """
    free = [sign for sign in _SIGNS if sign not in text]
    pieces: list[str] = []
    for sign in free:
        # the repeated piece whose replacement saves most, the first of equals
        ends = sorted(text[at : at + _LONGEST] for at in range(len(text)))
        shared = {_common(one, other) for one, other in pairwise(ends)}
        saved = {piece: _saving(text, piece) for piece in shared if len(piece) > 3}
        best = max(saved, key=lambda piece: (saved[piece], piece), default="")
        piece = best if saved.get(best, 0) > 0 else ""
        if not piece:
            break
        text = text.replace(piece, sign)
        pieces.append(sign + piece)
    listed = ",".join(_quoted(one) for one in (text, *reversed(pieces)))
    unpack = "for(var $=1;$<PB.length;$++)PB[0]=PB[0].split(PB[$][0]).join(PB[$].slice(1));"
    return f"var PB=[{listed}];{unpack}PB=JSON.parse(PB[0]);"


_SIGNS = "~`^@#%QZXWVKJYqzjUBNMFGEDCTSROPLIAH"
_LONGEST = 80  # characters of a piece


def _common(one: str, other: str) -> str:
    """What two texts start with alike."""
    size = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
    return one[:size]


def _saving(text: str, piece: str) -> int:
    written = len(_quoted(piece)) - 2
    return text.count(piece) * (written - 1) - written - 4


def _quoted(text: str) -> str:
    """A JavaScript literal of text without line breaks."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
