"""What `extensions.py` of a site does: plugins of Markdown, names of templates, files of its own.

Owns the calls of its functions and what they may return. Writes only to the stage. Source: docs/extensions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markdown_it import MarkdownIt

from pybuild.diagnostics import Diagnostic, Location
from pybuild.fetching import calls_of_all_jobs
from pybuild.markdown.engines import Engine, python_parser
from pybuild.publish.os_errors import publish_error
from pybuild.publish.stage import Stage
from pybuild.records import File, Page
from pybuild.render.result import Rendered
from pybuild.render.user_code import SiteCode, Stop, kind_of
from pybuild.routing.module_facts import ModuleFacts
from pybuild.source.extensions import FILE
from pybuild.source.secrets import leak_finding, leak_in
from pybuild.source.site import Site
from pybuild.urls import collision_key, nfc, path_fault


class Extensions:
    """The functions of one site, called once a process each. What fails there is the finding of every page that asks."""

    def __init__(self, code: SiteCode, facts: ModuleFacts | None) -> None:
        self._code = code
        self._facts = facts

    def has(self, name: str) -> bool:
        """Whether the site has the function."""
        return self._facts is not None and (name in self._facts.names or self._facts.is_open)

    def function(self, name: str) -> Callable[..., Any] | None:
        """One of the functions; None where the site has it not. Raises `Stop`."""
        if self._facts is None or not self.has(name):
            return None
        found = getattr(self._code.load(FILE), name, None)
        if found is not None and not callable(found):
            message = f"{name} of {FILE} is {kind_of(found)}, not a function"
            raise Stop(Diagnostic("invalid-setting", message, self._facts.place(name), "write a function"))
        return found

    def _change(self, name: str, given: Any) -> Any:
        """Let the site change a value; the one it returns, if any, takes its place."""
        function = self.function(name)
        if function is None or self._facts is None:
            return given
        at = self._facts.place(name)
        with self._code.guard("handler-error", at, f"{name} of {FILE}"), calls_of_all_jobs():
            made = self._code.call(function, given)
        if made is None or isinstance(made, type(given)):
            return given if made is None else made
        message = f"{name} of {FILE} returned {kind_of(made)}"
        hint = "change what it is given, and return nothing"
        raise Stop(Diagnostic("bad-response", message, self._facts.place(name), hint))

    def engine(self) -> Engine | None:
        """The engine that the site has changed; None where it changes none. Made when it is first used."""
        if not self.has("markdown"):
            return None
        made: list[MarkdownIt] = []

        def html(text: str) -> str:
            if not made:
                made.append(self._change("markdown", python_parser()))
            at = self._facts.place("markdown") if self._facts else Location(FILE)
            with self._code.guard("handler-error", at, f"a Markdown plugin of {FILE}"):
                return str(made[0].render(text))

        return html

    def templates(self, environment: jinja2.Environment) -> jinja2.Environment:
        """Add the filters, globals and tests of the site."""
        changed: jinja2.Environment = self._change("templates", environment)
        return changed


@dataclass(frozen=True, slots=True)
class OwnOutputs:
    """Makes the files that a site's `outputs` yields, in the stage."""

    site: Site
    stage: Stage
    pages: Sequence[Page]  # sorted by URL, without those that say noindex
    taken: Collection[str]  # collision keys of all paths of the output

    def make(self, code: SiteCode) -> Rendered:
        """Call it, and stage what it yields; a fault is among the findings."""
        try:
            return Rendered(files=tuple(self._files(code)))
        except Stop as stop:
            return Rendered(findings=stop.findings)

    def _files(self, code: SiteCode) -> Iterator[File]:
        facts = self.site.extensions
        assert facts is not None, "a site with outputs has the file"
        at, doing = facts.place("outputs"), f"outputs of {FILE}"
        function = Extensions(code, facts).function("outputs")
        if function is None:
            return
        with code.guard("handler-error", at, doing):
            made = code.call(function, self.site.config.site, self.pages)
            if isinstance(made, Iterable) and not isinstance(made, str | bytes):
                made = list(made)
        if made is None:
            return
        if not isinstance(made, list):
            raise Stop(_odd(f"returned {kind_of(made)}, not pairs of a path and its content", at))
        known = set(self.taken)
        for item in made:
            path, body = _pair(item, at)
            if collision_key(path) in known:
                message = f'{doing} makes "{path}", which is there already'
                raise Stop(Diagnostic("output-conflict", message, at, "give it another path"))
            known.add(collision_key(path))
            yield self._written(path, body)

    def _written(self, path: str, body: bytes) -> File:
        if name := leak_in(path.encode() + b"\n" + body, self.site.config.secrets):
            raise Stop(leak_finding(name, path, FILE))
        try:
            digest, size = self.stage.write(path, body)
        except OSError as fault:
            raise Stop(publish_error(fault, f"write {path}", needed=len(body))) from None
        return File(path, FILE, digest, size)


def _odd(what: str, at: Location) -> Diagnostic:
    return Diagnostic(
        "bad-response", f"outputs of {FILE} {what}", at, 'yield ("path/of.file", text or bytes)'
    )


def _pair(item: object, at: Location) -> tuple[str, bytes]:
    """A path below the output and its bytes."""
    if not (isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str)):
        raise Stop(_odd(f"yields {kind_of(item)}, not a path and its content", at))
    path, body = nfc(item[0].removeprefix("/")), item[1]
    if fault := path_fault(path):
        message = f'outputs of {FILE} yields the path "{item[0]}": {fault}'
        raise Stop(Diagnostic("unsafe-path", message, at, "give it another path"))
    if not isinstance(body, str | bytes):
        raise Stop(_odd(f'gives "{path}" {kind_of(body)}, not text or bytes', at))
    try:
        return path, body if isinstance(body, bytes) else body.encode("utf-8")
    except UnicodeEncodeError:
        message = f'outputs of {FILE} gives "{path}" a text with a lone surrogate, which UTF-8 cannot carry'
        raise Stop(Diagnostic("encoding-error", message, at, "correct the text where it is made")) from None
