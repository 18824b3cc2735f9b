"""Findings as people read them: those of one kind together, and no more than a screen holds.

Owns what is one group, its sentence, and which groups are shown where there are too many. Prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from pybuild.diagnostics import Diagnostic, Note

_FEW = 20  # groups of warnings that are all shown
_SCREEN = 8  # groups of warnings that are shown where there are more
_ERRORS = 30  # groups of errors
_ALIKE = 5  # equal findings that are shown one by one
_PLACES = 3  # named of a group


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that differ only in where they stand."""

    first: Diagnostic  # with the words that speak of them all
    count: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a report shows, and what it only counts."""

    groups: Sequence[Group]  # in the order of their first findings
    left_out: Sequence[Group]


def grouped(findings: Iterable[Diagnostic]) -> list[Group]:
    """Put findings of one kind together, in the order of the first of each."""
    listed = list(findings)
    kinds: dict[tuple[str, ...], list[int]] = {}
    for index, finding in enumerate(listed):
        about = (finding.subject,) if finding.subject else (finding.message, finding.hint)
        kinds.setdefault((finding.severity, finding.code, *about), []).append(index)
    groups: dict[int, Group] = {}
    for some in kinds.values():
        if listed[some[0]].subject or len(some) > _ALIKE:
            groups[some[0]] = Group(_summed([listed[index] for index in some]), len(some))
        else:
            groups |= {index: Group(listed[index], 1) for index in some}
    return [group for _, group in sorted(groups.items())]


def _summed(findings: Sequence[Diagnostic]) -> Diagnostic:
    """The first of some findings, its words those of all."""
    first, others = findings[0], findings[1:]
    if not others:
        return first
    named, left = [str(one.location) for one in others[:_PLACES]], len(others) - _PLACES
    more = f" and {left} more {'place' if left == 1 else 'places'}" if left > 0 else ""
    notes = (*first.notes, Note(f"and at {', '.join(named)}{more}"))
    message = first.message
    if first.subject:
        page, _, anchor = first.subject.partition("#")
        files = len({finding.location.file for finding in findings})
        message = f'"{page}" lacks the anchor "{anchor}"' if anchor else f'"{page}" leads nowhere'
        message += f": {len(findings)} links in {files} {'file' if files == 1 else 'files'}"
    return replace(first, message=message, notes=notes)


def chosen(groups: Sequence[Group]) -> Shown:
    """Choose what to show: of warnings, the one of each code that stands for most findings, then the next of each."""
    errors = [group for group in groups if group.first.is_error]
    warnings = [group for group in groups if not group.first.is_error]
    kept = {id(group) for group in errors[:_ERRORS]}
    kept |= {id(group) for group in (warnings if len(warnings) <= _FEW else _in_turn(warnings)[:_SCREEN])}
    return Shown(
        [group for group in groups if id(group) in kept], [group for group in groups if id(group) not in kept]
    )


def _in_turn(groups: Iterable[Group]) -> list[Group]:
    by_code: dict[str, list[Group]] = {}
    for group in sorted(groups, key=lambda group: -group.count):
        by_code.setdefault(group.first.code, []).append(group)
    return [group for group in chain(*zip_longest(*by_code.values())) if group]


def counted(groups: Iterable[Group]) -> str:
    """How many findings there are of each code: `3,203 broken-link, 98 broken-anchor`."""
    counts = Counter[str]()
    for group in groups:
        counts[group.first.code] += group.count
    return ", ".join(f"{number:,} {code}" for code, number in counts.most_common())
