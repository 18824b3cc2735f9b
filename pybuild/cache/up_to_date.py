"""The record of a whole export: whether anything would come out differently now.

Owns the answer for an export of a site in which nothing changed. It is given without reading a file of the site
but those that changed just before; in doubt there is none. Imports nothing that renders.
Source: docs/caching.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

from pybuild import publish
from pybuild.cache import fingerprint
from pybuild.cache.fingerprint import digest_of, glance
from pybuild.cache.index import RowSet
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.plain import codec_of
from pybuild.publish import Output
from pybuild.source.secrets import masked_findings

VERSION = 4
INDEX = "index.sqlite"
_PATHS = 500  # a line
_FINDING = codec_of(Diagnostic)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a whole export said and made."""

    findings: tuple[Diagnostic, ...]
    pages: int
    files: int


@dataclass(frozen=True, slots=True)
class ValidityWindow:
    """The moments for which an export holds, in seconds since 1970."""

    first: float
    until: float  # not included


def up_to_date_result(config: Config) -> Outcome | None:
    """What the export would say and make, where it is known that the last one said and made it."""
    options = config.options
    if not options.cache or options.verify_reproducible:
        return None
    ledger = _ledger(config)
    with contextlib.suppress(ValueError, TypeError, LookupError, AttributeError, OSError), closing(ledger):
        return _outcome(config, ledger)
    return None


def _outcome(config: Config, ledger: RowSet) -> Outcome | None:
    span, site, fresh = (ledger.get(name) for name in ("span", "site", "fresh"))
    if not (span and site):
        return None
    until = float("inf") if span[1] is None else span[1]
    if not span[0] <= config.now.timestamp() < until:
        return None
    if any(digest_of(config.root / path) != digest for path, digest in fresh.items()):
        return None
    if site != glance(config)[0]:
        return None
    for folder in (config.out, config.deploy):
        output = publish.output_at(config.root, folder)
        if _seen(output, _read_paths(ledger, output)) != ledger.get(f"seen {output.key}"):
            return None
    pages, files, findings = ledger.get("outcome")
    return Outcome(tuple(map(_FINDING.read, findings)), pages, files)


class BuildRecord:
    """The record that an export leaves when it has been published."""

    def __init__(self, config: Config, site: str, fresh: Mapping[str, str]) -> None:
        """`site` and `fresh` are of a snapshot that was taken before anything was read."""
        self._config = config
        self._site = site
        self._fresh = fresh
        self._ledger = _ledger(config)  # its header is taken before anything is read

    def write(self, outcome: Outcome, span: ValidityWindow, paths: Sequence[Collection[str]]) -> None:
        """Write the record; `paths` are those of the output and of the deploy folder. Raises `OSError`."""
        folders = (self._config.out, self._config.deploy)
        outputs = [publish.output_at(self._config.root, folder) for folder in folders]
        findings = [
            _FINDING.write(found) for found in masked_findings(outcome.findings, self._config.secrets)
        ]
        until = None if span.until == float("inf") else span.until
        self._ledger.write(
            chain(
                [
                    ("span", [max(span.first, 0.0), until]),
                    ("site", self._site),
                    ("fresh", dict(self._fresh)),
                    ("outcome", [outcome.pages, outcome.files, findings]),
                ],
                *(_published(output, of) for output, of in zip(outputs, paths, strict=True)),
            )
        )
        self._ledger.keep()


def _ledger(config: Config) -> RowSet:
    """The record of the output, and only of the same run in the same fingerprint."""
    output = publish.output_at(config.root, config.out)
    header: list[Any] = [VERSION, output.key, fingerprint.run_digest(config)]
    return RowSet(config.state / "cache" / INDEX, f"export {output.state.name}", header)


def _published(output: Output, paths: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Lines that tell which files there are, some hundred in each, and what the disk says of them."""
    left = iter(paths)
    for number in count():
        some = list(islice(left, _PATHS))
        yield f"paths {number} {output.key}", some
        if not some:
            break
    yield f"seen {output.key}", _seen(output, paths)


def _read_paths(ledger: RowSet, output: Output) -> Iterator[str]:
    """The paths of `_published`. Raises `ValueError` where a line is missing."""
    for number in count():
        some = ledger.get(f"paths {number} {output.key}")
        if some is None:
            raise ValueError("a line is missing")
        if not some:
            return
        yield from some


def _seen(output: Output, paths: Iterable[str]) -> str:
    """A digest of what the disk says of published files and of their manifest; "" where something is unfinished."""
    if publish.is_unfinished(output):
        return ""
    sha = hashlib.sha256()
    path = ""
    for path in paths:
        seen = os.lstat(f"{output.out}/{path}")
        sha.update(
            f"{path}\0{seen.st_mode} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}\0".encode()
        )
    if path:
        seen = output.manifest.lstat()
        sha.update(f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}".encode())
    return sha.hexdigest()
