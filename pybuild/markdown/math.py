"""Formulas: `$x^2$` within a line and `$$…$$` of its own, as MathML.

Owns where a formula begins and ends, which is never in code, and what of MathML is let through. Knows no page.
Sources: Pandoc, "tex_math_dollars"; MathML Core; latex2mathml.
"""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import nh3

from pybuild.markdown.engines import encoded
from pybuild.markdown.rewrite import without_code

# As `$5 and $6` has none: no blank behind the first dollar sign or before the last, no digit around.
_FORMULA = re.compile(
    r"""\$\$(?P<display>(?:\\.|[^$\\]|\$(?!\$))+?)\$\$
      | (?<![\\$\w])\$(?![\s$])(?P<inline>(?:\\.|[^$\\\n]|\n(?![ \t>]*\n))+?)(?<!\s)\$(?![\w$])
      | \\.""",
    re.X | re.S,
)
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
_CONTAINER = re.compile(r"(?m)^[ \t>]+")
_TAG_OR_CODE = re.compile(r"<code[ >].*?</code>|<!--.*?-->|<[A-Za-z][^<>]*>", re.S)
_TAGS = set(
    """math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt
    mstyle msub msubsup msup mtable mtd mtext mtr munder munderover""".split()  # noqa: SIM905
)
_ATTRIBUTES = set(
    """accent accentunder align columnalign columnlines columnspacing columnspan depth display displaystyle fence form
    height largeop linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits
    notation rowalign rowlines rowspacing rowspan rspace scriptlevel separator stretchy symmetric voffset width
    xmlns""".split()  # noqa: SIM905
)
_CLEANER = nh3.Cleaner(tags=_TAGS, attributes={"*": _ATTRIBUTES}, strip_comments=True, link_rel=None)


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula."""

    tex: str
    written: str  # with its dollar signs
    is_display: bool
    line: int  # 1-based


@dataclass
class Formulas:
    """The formulas of one text, each of which a sign stands for."""

    keep: str  # the character around the signs
    found: list[Formula] = field(default_factory=list)
    faults: list[Formula] = field(default_factory=list)  # that are none

    def cut(self, text: str) -> str:
        """Put a sign for each formula outside of code."""
        if "$" not in text:
            return text
        parts, done = [], 0
        for one in _FORMULA.finditer(without_code(text)):
            kind = one.lastgroup
            if kind is None or _BLANK_LINE.search(one[0]):
                continue
            tex = text[one.start(kind) : one.end(kind)]
            is_display = kind == "display"
            line = text.count("\n", 0, one.start()) + 1
            self.found.append(
                Formula(_CONTAINER.sub("", tex).strip(), text[slice(*one.span())], is_display, line)
            )
            parts += [text[done : one.start()], f"{self.keep}m{len(self.found) - 1}{self.keep}"]
            done = one.end()
        return "".join([*parts, text[done:]])

    @cached_property
    def _sign(self) -> re.Pattern[str]:
        return re.compile(f"{self.keep}m(\\d+){self.keep}")

    def written(self, text: str) -> str:
        """A text with its formulas as they were written."""
        return self._sign.sub(lambda sign: self.found[int(sign[1])].written, text) if self.found else text

    def shown(self, html: str) -> str:
        """HTML with MathML for the signs; in code and attributes is what was written."""
        if not self.found:
            return html
        in_addresses = re.compile(f"{encoded(self.keep)}m(\\d+){encoded(self.keep)}")

        def as_written(part: re.Match[str]) -> str:
            text = self._sign.sub(lambda sign: escape(self.found[int(sign[1])].written), part[0])
            return in_addresses.sub(lambda sign: escape(encoded(self.found[int(sign[1])].written)), text)

        html = _TAG_OR_CODE.sub(as_written, html)
        return self._sign.sub(lambda sign: self._mathml(self.found[int(sign[1])]), html)

    def _mathml(self, formula: Formula) -> str:
        try:
            convert = pkgutil.resolve_name("latex2mathml.converter:convert")
            mathml = convert(formula.tex, display="block" if formula.is_display else "inline")
        except Exception:  # of the library, which has many and some that are Python's own
            self.faults.append(formula)
            return f"<code>{escape(formula.written, quote=False)}</code>"
        clean = _CLEANER.clean(mathml)
        return clean.replace("<math", f'<math alttext="{escape(formula.tex)}"', 1).replace("\n", " ")
