"""What a handler must not ask of its request: nobody sends one while a site is built.

Owns `request-data-at-build`. Knows no response.
Source: Next.js 16, "Route Segment Config", `dynamic`.
"""

from __future__ import annotations

import types
from dataclasses import replace

from pybuild.diagnostics import Diagnostic, Location, Note, warning
from pybuild.render.user_code import Context, SiteCode
from pybuild.web import BuildRequest

_HINT = "take what varies from the path with generate_static_params, or serve this from a backend"


class StaticRequest:
    """Collects attempts of a handler to read what a build has not got."""

    def __init__(self, code: SiteCode, default: Location, *, refuse: bool) -> None:
        self._code = code
        self._default = default
        self._refuse = refuse
        self.findings: list[Diagnostic] = []

    def __call__(self, what: str, frame: types.FrameType) -> None:
        verb, rest = ("are", "they are") if what in ("headers", "cookies") else ("is", "it is")
        message = f"the request's {what} {verb} read, and at build time {rest} empty"
        at = self._code.place(frame, self._default)
        make = Diagnostic if self._refuse else warning
        self.findings.append(make("request-data-at-build", message, at, _HINT))

    def explain(self, found: Diagnostic) -> Diagnostic:
        """A failure of the handler, with the empty data it read before that as its likely cause."""
        read = dict.fromkeys(self.findings)
        notes = tuple(Note(f"before that, {finding.message}", finding.location) for finding in read)
        return replace(found, notes=(*found.notes, *notes))

    def request(self, context: Context) -> BuildRequest:
        return BuildRequest(context.url, context.params, self)
