"""Findings for what Markdown says and a page does not show.

Owns their sentences, and how many documents with one remark become one finding. Knows no Markdown.
Source: docs/markdown.md, "What other tools read".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pybuild.diagnostics import Diagnostic, Location, Note, warning
from pybuild.markdown.blocks import KINDS
from pybuild.markdown.directives import GROUPS, INCLUDE
from pybuild.near_words import words_of
from pybuild.render.documents import RenderedBody

TAGS_SHOWN = "raw HTML is shown as text, since markdown.html is false"
_TAGS_HINT = (
    'write html = "safe" below [markdown] to let harmless elements through, or put the tags in backticks'
)
_COUNTED: Mapping[str, tuple[str, str]] = {  # kind → what is said of it once, and what to do
    "jsx": (
        "JSX is not run in Markdown",
        "write a directive (::: name) with its template in templates/components/; put what is meant as text in backticks",
    ),
    "shortcode": (
        "shortcodes are not run in Markdown",
        "write ![](picture.png), an admonition (::: tip), or a directive with its template in templates/components/",
    ),
    "liquid": (
        "template tags are not run in Markdown",
        'write ::: include file="…" for the text of another file; put what needs data into page.html or a component',
    ),
    "snippet": (
        "snippets of other files are not included in Markdown",
        'write ::: include file="…"',
    ),
    "contents": (
        "a table of contents is not made at a mark in Markdown",
        "delete the line: the default look shows the contents of a page, and page.html has page.toc",
    ),
    "element": (
        'elements of raw HTML are taken out, since markdown.html is "safe"',
        "write html = true below [markdown] if you trust these texts, or put what is meant as text in backticks",
    ),
    "attribute": (
        'attributes of raw HTML are taken out, since markdown.html is "safe"',
        "write html = true below [markdown] if you trust these texts, or use a class",
    ),
    "address": (
        "addresses are taken out whose scheme is on no list",
        "use http, https, mailto, tel, sms or ftp, or write the address as text",
    ),
}
_OWN: Mapping[str, tuple[str, str, str]] = {  # kinds of which each is a finding: code, message, what to do
    "undefined-note": (
        "broken-anchor",
        "the footnote {} is never defined, so its mark is shown as text",
        "write {}: and its text on a line of its own, or put the mark in backticks",
    ),
    "second-note": (
        "broken-anchor",
        "the footnote {} is defined twice, and the first one is shown",
        "give one of them another label",
    ),
    "math": (
        "unknown-export",
        "the formula {} cannot be read, so it is shown as it is written",
        "correct its TeX, or write \\$ for a dollar sign",
    ),
    "unused-note": (
        "broken-anchor",
        "no mark leads to the footnote {}, so it is not shown",
        "write {} where it belongs, or delete it",
    ),
}
_NAMED = 5  # names that one finding lists
_MESSAGES = {TAGS_SHOWN, *(message for message, _ in _COUNTED.values())}


def document_remarks(body: RenderedBody, file: str, components: Iterable[str]) -> Iterator[Diagnostic]:
    """The findings of one document; `components` are the names that directives may have."""
    for directive in body.result.unknown:
        names = sorted({*KINDS, *GROUPS, INCLUDE, *components})
        hint = words_of(tuple(names)).hint(directive.name) or (
            f"write templates/components/{directive.name}.html, or one of tabs, steps, cards, details, include"
        )
        message = f'there is no component "{directive.name}", so the text within is shown without it'
        yield warning("unknown-export", message, body.location(directive.line), hint)
    if body.result.has_hidden_tags:
        yield warning("unknown-export", TAGS_SHOWN, Location(file), _TAGS_HINT)
    for remark in body.result.remarks:
        at = body.location(remark.line)
        if remark.kind in _OWN:
            code, message, hint = _OWN[remark.kind]
            yield warning(code, message.format(remark.name), at, hint.format(remark.name))
        else:
            message, hint = _COUNTED[remark.kind]
            notes = (Note(remark.name, at),)
            yield replace(warning("unknown-export", message, at, hint), notes=notes)


def is_counted(finding: Diagnostic) -> bool:
    """Whether a finding is one of those that `counted` makes one of."""
    return finding.message in _MESSAGES


def counted(findings: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Make one warning of those that many documents have, with their number and what they name, at the first of them."""
    alike: dict[str, dict[Diagnostic, None]] = {}
    for finding in findings:
        if is_counted(finding):
            alike.setdefault(finding.message, {})[finding] = None
    if not alike:
        return tuple(findings)
    others = (finding for finding in findings if not is_counted(finding))
    in_order = (
        sorted(found, key=lambda one: (one.location.file, one.location.line or 0)) for found in alike.values()
    )
    return (*map(_one_of, in_order), *others)


def _one_of(found: Sequence[Diagnostic]) -> Diagnostic:
    names = dict.fromkeys(note.message for finding in found for note in finding.notes)
    rest = len(names) - _NAMED
    listed = ", ".join(list(names)[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    others = len({finding.location.file for finding in found}) - 1
    more = f", in this and {others} more {'document' if others == 1 else 'documents'}" if others else ""
    first = found[0]
    message = f"{first.message}{f': {listed}' if listed else ''}{more}"
    return replace(first, message=message, notes=())
