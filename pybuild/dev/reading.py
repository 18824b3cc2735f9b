"""The site as last read: settings, routes, documents and plan, read again after a change.

Owns which changes need the whole site read, and which files an error is in. Runs site code only to enumerate params,
through an engine. Renders nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from pybuild.build.runs import Observer, expand, with_redirects
from pybuild.cache.fingerprint import Stamp
from pybuild.cache.front_matter import kept_front, kept_fronts
from pybuild.cache.index import RowSet
from pybuild.cache.inputs import check_inputs
from pybuild.config.loader import Config, load_config
from pybuild.config.schema import Options
from pybuild.config.settings_file import MissingSettings
from pybuild.diagnostics import Diagnostic, has_errors
from pybuild.fetching import Session as Fetches
from pybuild.plan import Plan, make_plan
from pybuild.render.data import check_data
from pybuild.render.job import PageJob
from pybuild.routing.checks import check
from pybuild.routing.segments import Pattern
from pybuild.source.document import Entry, Front, read_front
from pybuild.source.site import Site, discover
from pybuild.source.template_files import check_templates

_TRIES = 5  # while files come and go
_PAUSE = 0.05  # seconds between them


@dataclass(frozen=True, slots=True)
class Reading:
    """A site and its plan, with everything that is wrong with them."""

    config: Config
    site: Site
    plan: Plan
    findings: tuple[Diagnostic, ...] = ()
    blocked: tuple[Diagnostic, ...] = ()  # errors of the settings: no page can be made
    faults: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)  # errors by their file

    def faults_of(self, page: PageJob) -> tuple[Diagnostic, ...]:
        """The errors that keep a page from being made, as far as they are known before it is rendered."""
        if not self.faults:
            return self.blocked
        route = page.route
        modules = (route.module, *route.surroundings.layout_modules, *(p.module for p in route.providers))
        files = {page.origin, route.template, route.markdown, *route.surroundings.layouts}
        files |= {module.file for module in modules if module}
        return (*self.blocked, *chain(*(self.faults[file] for file in sorted(files & self.faults.keys()))))


class SiteReader:
    """Reads one site again and again."""

    def __init__(self, root: Path, options: Options, observer: Observer, fetches: Fetches) -> None:
        self._root = root
        self._options = options
        self._observer = observer
        self._fetches = fetches
        self._fronts: dict[str, tuple[Stamp, ZoneInfo, tuple[Front, tuple[Diagnostic, ...]]]] = {}
        self._kept: RowSet | None = (
            None  # what the last export read, while the site is read for the first time
        )
        self._urls: dict[str, str] = {}  # where a file answered last, also one that cannot be read any more
        self.last: Reading | None = None
        self.blocked: tuple[Diagnostic, ...] = ()  # why there is no reading at all

    def read(self, changed: frozenset[str] = frozenset()) -> Reading | None:
        """Read what has changed, named relative to the site; everything where nothing is named."""
        for attempt in range(_TRIES):
            try:
                return self._read(changed)
            except OSError as fault:  # a file went away between two looks at it
                name = str(fault.filename or self._root)
                message = f"{name} cannot be read: {fault.strerror}"
                self.blocked = (Diagnostic("unsafe-path", message, hint="let it be read"),)
            time.sleep(_PAUSE * attempt)
        self._block()
        return self.last

    def _read(self, changed: frozenset[str]) -> Reading | None:
        try:
            config, findings = load_config(self._root, self._options)
        except MissingSettings as missing:
            self.blocked = (Diagnostic("config-error", str(missing), hint="write pybuild.toml"),)
            self._block()
            return self.last
        if has_errors(findings):
            self.blocked = tuple(finding for finding in findings if finding.is_error)
            self._block()
            if self.last or not config.is_readable:
                return self.last
        else:
            self.blocked = ()
        known = self._with_bodies(config, changed) if changed and not self.blocked else None
        self.last = known or self._whole(config, findings)
        self._block()
        return self.last

    def _block(self) -> None:
        if self.last and self.last.blocked != self.blocked:
            self.last = replace(self.last, blocked=self.blocked)

    def _whole(self, config: Config, findings: tuple[Diagnostic, ...]) -> Reading:
        self._kept = None if self._fronts else kept_fronts(config)
        site, tree, found = discover(config, self.front)
        if self._kept:
            self._kept.close()
            self._kept = None
        checked = (
            *check(tree, config.settings.collections),
            *check_inputs(config, site.routes, site.extensions),
            *check_data(config.root),
        )
        (site, config), listed = with_redirects(site, self._observer, self._fetches)
        params, expanded = expand(site, self._observer, self._fetches)
        plan, conflicts = make_plan(site, params, tree.around(Pattern()))
        own = (*found, *checked, *expanded, *listed, *conflicts)
        self._urls.update(site.files)
        static = (route for route in site.routes if route.kind == "page" and not route.pattern.is_dynamic)
        self._urls.update((route.file, route.pattern.fill({})) for route in static)
        errors: dict[str, tuple[Diagnostic, ...]] = {}
        for finding in own:
            if finding.is_error and (file := finding.location.file):
                errors[file] = (*errors.get(file, ()), finding)
        return Reading(config, site, plan, (*findings, *own), (), errors)

    def _with_bodies(self, config: Config, changed: frozenset[str]) -> Reading | None:
        """The last reading where only bodies, templates or copied files have changed; None where it must be made anew."""
        last = self.last
        if last is None or last.config.digest != config.digest or last.blocked:
            return None
        if any(
            entry.date is not None and last.config.now < entry.date <= config.now
            for entry in last.site.entries
        ):
            return None
        documents = {entry.file: entry for entry in last.site.entries}
        copied = {file for _, file in last.plan.copies}
        templates = {file for file in changed if file.endswith(".html") and file not in copied}
        known = {name for route in last.site.routes for name in (route.template, *route.surroundings.layouts)}
        for file in changed:
            if not (self._root / file).is_file() or file in last.faults:
                return None
            if file in templates:
                if not file.startswith("templates/") and file not in known:
                    return None
            elif file not in copied and not self._says_the_same(documents.get(file), config):
                return None
        return None if check_templates(config.root, sorted(templates)) else last

    def _says_the_same(self, entry: Entry | None, config: Config) -> bool:
        """Whether a document differs in nothing but its body."""
        if entry is None:
            return False
        front, findings = self.front(config.root, entry.file, config.zone)
        return not findings and (front.head, front.body_line) == (entry.head, entry.body_line)

    def front(self, root: Path, file: str, zone: ZoneInfo) -> tuple[Front, tuple[Diagnostic, ...]]:
        """The front matter of a document, read again where the disk says that it was touched."""
        seen = os.stat(f"{root}/{file}")  # noqa: PTH116 - ten thousand times
        stamp = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_mode)
        known = self._fronts.get(file)
        if known is None or known[:2] != (stamp, zone):
            kept = kept_front(self._kept, file, stamp) if self._kept else None
            read = (kept, ()) if kept else read_front(root, file, zone)
            known = self._fronts[file] = (stamp, zone, read)
        return known[2]

    def faults_at(self, url: str) -> tuple[Diagnostic, ...]:
        """The errors of a page that is not in the plan because of them."""
        if self.last is None:
            return self.blocked
        named = (faults for file, faults in sorted(self.last.faults.items()) if self._url_of(file) == url)
        return tuple(chain(*named))

    def _url_of(self, file: str) -> str:
        """Where a file answers, or would if it had no errors; "" where it makes no page."""
        assert self.last is not None, "only a site that was read has files"
        if file in self._urls:
            return self._urls[file]
        for name, pattern in self.last.site.patterns.items():
            source = self.last.config.settings.collections[name].source.strip("/")
            stem, _, suffix = file.removeprefix(f"{source}/").rpartition(".")
            if file.startswith(f"{source}/") and suffix in {"md", "markdown"}:
                base = Pattern(pattern.segments[:-1]).fill({}).rstrip("/")
                return f"{base}/{stem}".removesuffix("/index") or "/"
        return ""
