"""Findings that many jobs share, each made one with the number of the others.

Owns which findings of two jobs are one fault: the same line of the site failed in the same way. Knows no engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.plan import Job, params_of
from pybuild.render.remarks import counted, is_counted
from pybuild.source.site import Site

_RAISED = re.compile(
    r"( failed: [\w.]+): .*", re.S
)  # what an exception says differs with what it was raised for
_NAMED = 3  # addresses of further jobs
_Fault = tuple[int, str, str, Location, str]


def one_of_each(
    site: Site, jobs: Sequence[Job], found: Iterable[tuple[int, Diagnostic]]
) -> tuple[Diagnostic, ...]:
    """The findings of jobs, by their index, in order; one that a fault makes for many counts the others."""
    kept: dict[_Fault, list[tuple[Job, Diagnostic]]] = {}
    for number, (index, finding) in enumerate(found):
        job = jobs[index]
        fault = (
            _fault(site, job, finding)
            if (finding.location.line or job.params or job.entry >= 0) and not is_counted(finding)
            else (-1, str(number), "", Location(), "")
        )
        some = kept.setdefault(fault, [])
        if not (some and some[-1][0] is job):
            some.append((job, finding))
    findings = tuple(_with_count(some) for some in kept.values())
    refused = [finding for finding in findings if finding.code == "publish-error"]
    if len(refused) > 1:  # a disk that refuses one file refuses them all
        first = replace(refused[0], notes=(Note(f"and so for {len(refused) - 1} more files"),))
        findings = (first, *(finding for finding in findings if finding.code != "publish-error"))
    return counted(findings)


def _fault(site: Site, job: Job, finding: Diagnostic) -> _Fault:
    """What is the same in the findings of one fault: not the address and the params of the job."""
    message = _RAISED.sub(r"\1", finding.message)
    values = [value for _, value in params_of(job, site)]
    texts = [repr(value if isinstance(value, str) else list(value)) for value in values]
    for text in sorted((job.url, *texts), key=len, reverse=True):
        message = message.replace(text, "…")
    route = (
        -1 if finding.location.line else job.route
    )  # a line of code or data is at fault for all that use it
    return route, finding.code, message, finding.location, finding.severity


def _with_count(found: Sequence[tuple[Job, Diagnostic]]) -> Diagnostic:
    first = found[0][1]
    # Of pages without params, those say nothing new whose finding is the same.
    others = [
        job.url
        for job, finding in found[1:]
        if job.params or job.entry >= 0 or finding.message != first.message
    ]
    if not others:
        return first
    named = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
    message = f"{first.message}, and for {len(others)} more"
    return replace(first, message=message, notes=(*first.notes, Note(f"the others: {named}")))
