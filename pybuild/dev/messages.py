"""What the server of `dev` and the processes that hold a session say to each other, and the script in their pages.

Owns these values. Loads nothing of the build, so that the server listens soon. Knows no socket and no site.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic
from pybuild.rules.evaluate import Request
from pybuild.serve.responses import Answer
from pybuild.source.secrets import Secrets

SCRIPT = b'<script src="/_pybuild/dev.js"></script>'
_BODY_END = re.compile(rb"</body\s*>", re.I)


@dataclass(frozen=True, slots=True)
class Change:
    """Files that have changed, relative to the site; none named where nobody knows which."""

    files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """What became of a change."""

    findings: tuple[Diagnostic, ...]  # of the site as a whole, masked
    base: str = ""  # base path, encoded
    secrets: Secrets = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    printed: tuple[tuple[str, str], ...] = ()  # who, text


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, and what is known of its page."""

    answer: Answer
    page: str = ""  # decoded URL of the page, "" where none answers
    findings: tuple[Diagnostic, ...] = ()  # of the page, masked
    site_findings: tuple[Diagnostic, ...] = ()  # of outputs that look at all pages, masked
    is_failed: bool = False
    wants_html: bool = False  # whether a failed one is shown in the browser
    mark: str = ""  # "draft" or "future"
    file: Path | None = None  # whose bytes from `start` to `stop` are the body
    start: int = 0
    stop: int = 0
    printed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionProgram:
    """What an engine runs for a session: a task is a request or a change."""

    root: Path
    options: Options
    folder: Path  # private, for what is rendered

    def start(self) -> Callable[[Request | Change], Reply | State]:
        session = pkgutil.resolve_name("pybuild.dev.session:Session")
        return session(self.root, self.options, self.folder).take  # type: ignore[no-any-return]


def with_script(body: bytes) -> bytes:
    """HTML with the script before the last `</body>`, or at its end."""
    ends = list(_BODY_END.finditer(body))
    at = ends[-1].start() if ends else len(body)
    return body[:at] + SCRIPT + body[at:]
