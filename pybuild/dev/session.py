"""The session: a site held in memory, requests answered by it, and changes taken in.

Owns the answer to one request: which bytes, with the script in HTML, and what an address with an error says. Lives in a
process of its own, which runs no site code: workers do, and a change replaces them. Knows no socket.
Sources: docs/dev.md; RFC 9110 §8.8.3 (ETag) and §14 (ranges).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections import ChainMap
from dataclasses import replace
from pathlib import Path

from pybuild.build.runs import Observer
from pybuild.config.loader import stopwatch
from pybuild.config.schema import Options
from pybuild.dev.live import Expected, LiveSite
from pybuild.dev.messages import Change, Reply, State, with_script
from pybuild.dev.reading import Reading, SiteReader
from pybuild.diagnostics import Diagnostic, arrange
from pybuild.fetching import Session as Fetches
from pybuild.records import Headers
from pybuild.render.job import PageJob
from pybuild.rules.evaluate import Outcome, Request, evaluate
from pybuild.rules.negotiate import negotiate
from pybuild.serve.responses import Answer, file_answer, outcome_answer, text_answer
from pybuild.source.secrets import masked, masked_finding

_WITH_SCRIPT = frozenset({200, 404, 500})
_CONDITIONS = frozenset({"if-none-match", "if-range", "range"})
_OF_A_FILE = frozenset(
    {"content-type", "etag", "content-location", "link", "content-length", "accept-ranges"}
)


class Session:
    """One site, held in memory."""

    def __init__(self, root: Path, options: Options, folder: Path) -> None:
        self._printed: list[tuple[str, str]] = []
        self._observer = Observer(printed=lambda who, text: self._printed.append((who, text)))
        self._fetches = Fetches(folder / "fetch", secrets.token_hex(16), is_read=True)
        self._reader = SiteReader(root, options, self._observer, self._fetches)
        self._folder = folder
        self._number = 0  # of the live site, which names its folder
        self._expected: Expected | None = None
        self._live: LiveSite | None = None
        self._state = State(())

    def close(self) -> None:
        """End the workers and remove what was rendered."""
        if self._live:
            self._live.close()
        shutil.rmtree(self._fetches.private, ignore_errors=True)

    def take(self, task: Request | Change) -> Reply | State:
        self._printed.clear()
        if isinstance(task, Change) or not self._number:
            elapsed = stopwatch()
            self.close()
            changed = task.files if isinstance(task, Change) and self._number else frozenset[str]()
            reading = self._reader.read(changed)
            self._number += 1
            self._live = None
            if reading is not None:
                if self._expected is None or self._expected.reading is not reading:
                    self._expected = Expected(reading)
                self._live = LiveSite(
                    self._expected, self._folder / str(self._number), self._observer, self._fetches
                )
            self._state = self._described(reading, elapsed())
        made = self._state if isinstance(task, Change) else self._answer(task)
        return replace(made, printed=tuple(self._printed))

    def _described(self, reading: Reading | None, seconds: float) -> State:
        if reading is None or self._live is None:
            return State(arrange(self._reader.blocked), seconds=seconds)
        found = arrange((*reading.blocked, *reading.findings, *self._live.findings))
        secrets = reading.config.secrets
        base = reading.config.site.base_path
        return State(tuple(masked_finding(one, secrets) for one in found), base, dict(secrets), seconds)

    def _answer(self, request: Request) -> Reply:
        live = self._live
        if live is None:
            return self._failed(request, arrange(self._reader.blocked), (), None)
        plain = replace(request, headers=tuple(p for p in request.headers if p[0].lower() not in _CONDITIONS))
        before = live.findings
        outcome, page = live.answer(plain)
        news = live.findings if live.findings is not before else ()
        reply = self._reply(live, request, outcome, page)
        secrets = live.reading.config.secrets
        return replace(
            reply,
            findings=tuple(masked_finding(finding, secrets) for finding in reply.findings),
            site_findings=tuple(masked_finding(finding, secrets) for finding in news),
        )

    def _reply(self, live: LiveSite, request: Request, outcome: Outcome, page: PageJob | None) -> Reply:
        failures = live.failure(page) if page else ()
        if not failures and outcome.status == 404:
            failures = self._reader.faults_at(re.sub(r"(?:/index)?\.md$", "", live.url_of(request)) or "/")
        if failures:
            return self._failed(request, failures, outcome.headers, page or live.url_of(request))
        if outcome.proxy:
            return Reply(Answer(200, outcome.headers, call=outcome.proxy))
        if not outcome.path:
            return Reply(outcome_answer(outcome))
        try:
            file = live.measured(outcome.path)
            if isinstance(file, tuple):
                return self._failed(request, file, outcome.headers, live.url_of(request))
            kind = outcome.header("content-type").partition(";")[0].strip().lower()
            has_script = outcome.status in _WITH_SCRIPT and kind == "text/html"
            body = live.body(outcome.path).read_bytes() if has_script else None
        except OSError:
            return Reply(text_answer(503, "503: this file is just being replaced\n", ("Retry-After", "1")))
        if body is not None:
            body = with_script(body)
            file = replace(file, digest=hashlib.sha256(body).hexdigest(), size=len(body))
        known = ChainMap({outcome.path: file}, live.files)
        answer, (start, stop) = file_answer(request, evaluate(live.rules, request, known), file.size)
        reply = _of_page(live, page, answer)
        if answer.body or request.method == "HEAD" or answer.status == 304:
            return reply
        if body is not None:
            return replace(reply, answer=replace(answer, body=body[start:stop]))
        return replace(reply, file=live.body(outcome.path), start=start, stop=stop)

    def _failed(
        self, request: Request, findings: tuple[Diagnostic, ...], headers: Headers, page: PageJob | str | None
    ) -> Reply:
        """The answer of an address that has errors: text for programs; what people see is put in its place."""
        secrets = self._live.reading.config.secrets if self._live else {}
        shown = "\n".join(_as_text(masked_finding(finding, secrets)) for finding in findings)
        kept = tuple(pair for pair in headers if pair[0].lower() not in _OF_A_FILE)
        kind = ("Content-Type", "text/plain; charset=utf-8")
        answer = outcome_answer(Outcome(500, (kind, *kept), text=masked(shown, secrets) + "\n"))
        url = page.url if isinstance(page, PageJob) else page or request.path
        is_page = not isinstance(page, PageJob) or page.job.kind in ("page", "not_found")
        accept = request.lines("accept")
        names = is_page or any("text/html" in value.lower() for value in accept)
        wants = (
            request.method == "GET"
            and names
            and not request.path.endswith(".md")
            and negotiate(accept) == "html"
        )
        return Reply(answer, url, findings, is_failed=True, wants_html=wants)


def _of_page(live: LiveSite, page: PageJob | None, answer: Answer) -> Reply:
    """An answer with what is known of its page."""
    if page is None:
        return Reply(answer)
    now, entry = live.reading.config.now, page.entry
    mark = "draft" if entry and entry.draft else "future" if entry and entry.date and entry.date > now else ""
    return Reply(answer, page.url, (*live.warnings_of(page), *live.links_of(page)), mark=mark)


def _as_text(finding: Diagnostic) -> str:
    at = f"{finding.location}: " if finding.location.file else ""
    lines = [f"{at}{finding.severity}[{finding.code}]: {finding.message}"]
    lines += [f"  note: {note.message}" for note in finding.notes]
    return "\n".join([*lines, f"  fix: {finding.hint}"] if finding.hint else lines)
