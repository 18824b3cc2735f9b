"""The record of a whole export: whether anything would come out differently now.

Owns the answer for an export of a site in which nothing changed, and which files changed where some did. It is given
without reading a file of the site but those that changed just before; in doubt there is none. Imports nothing that
renders. Source: docs/caching.md.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from pybuild import publish
from pybuild.cache import fingerprint
from pybuild.cache.fingerprint import Glance, digest_of, glance, look_into
from pybuild.cache.index import FOREIGN, RowSet
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.plain import codec_of
from pybuild.publish import Output
from pybuild.publish.listing import TreeStamps, parents_of, stamps_in
from pybuild.source.secrets import masked_findings

VERSION = 5
INDEX = "index.sqlite"
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


@dataclass(frozen=True, slots=True)
class LastExport:
    """An export that holds now, but for files of the site that changed."""

    outcome: Outcome
    span: ValidityWindow
    token: str  # as in `BuildRecord.write`
    changed: frozenset[str]  # files that have other bytes than they had; none came or went
    seen: Glance = field(repr=False)  # of the site now
    times: Mapping[str, int] = field(
        repr=False
    )  # of the folders of the output; none where others own a file there


def up_to_date_result(config: Config) -> Outcome | None:
    """What the export would say and make, where it is known that the last one said and made it."""
    last = last_export(config, few=False)
    return last.outcome if last and not last.changed else None


def last_export(config: Config, *, few: bool = True) -> LastExport | None:
    """The last export, where it still holds; without `few` only where no file changed."""
    options = config.options
    if not options.cache or options.verify_reproducible:
        return None
    ledger = _ledger(config)
    with contextlib.suppress(OSError, *FOREIGN), closing(ledger):
        return _last_export(config, ledger, few=few)
    return None


def _last_export(config: Config, ledger: RowSet, *, few: bool) -> LastExport | None:
    span, folders, fresh = (ledger.get(name) for name in ("span", "folders", "fresh"))
    if not (span and folders):
        return None
    until = float("inf") if span[1] is None else span[1]
    if not span[0] <= config.now.timestamp() < until:
        return None
    changed = {path for path, digest in fresh.items() if digest_of(config.root / path) != digest}
    if changed and not few:
        return None
    seen = glance(config, fingerprint.disk_clock(config.state / "cache")) if few else glance(config)
    if seen.folders != folders:
        if not few or seen.folders.keys() != folders.keys():
            return None
        for name in (name for name, digest in seen.folders.items() if folders[name] != digest):
            changed |= _changed_in(config, name, seen, ledger)
    times: Mapping[str, int] = {}
    for folder in (config.deploy, config.out):
        output = publish.output_at(config.root, folder)
        kept = ledger.get(f"tree {output.key}")
        stamps, said = _tree_of(output, kept[0])
        if said != kept[:2]:
            return None
        times = stamps.times if kept[2] else {}
    pages, files, findings = ledger.get("outcome")
    outcome = Outcome(tuple(map(_FINDING.read, findings)), pages, files)
    window = ValidityWindow(span[0], until)
    return LastExport(outcome, window, str(ledger.get("token")), frozenset(changed), seen, times)


def _changed_in(config: Config, folder: str, seen: Glance, ledger: RowSet) -> frozenset[str]:
    """The files of a folder that the disk stamps anew. Raises `ValueError` where something came, went, or changed else."""
    digest, now = look_into(config, folder)
    before = {path: [stamp, link] for path, stamp, link in ledger.get(f"in {folder}")}
    if digest != seen.folders[folder] or before.keys() != {path for path, _, _ in now}:
        raise ValueError("names changed")
    other = {path: stamp for path, stamp, link in now if [stamp and list(stamp), link] != before[path]}
    for path, stamp in other.items():
        kept, link = before[path]
        if not stamp or not kept or link or stamp[4] != kept[4]:
            raise ValueError("more than bytes changed")
    return frozenset(other)


class BuildRecord:
    """The record that an export leaves when it has been published."""

    def __init__(self, config: Config) -> None:
        """Its header is taken before anything is read."""
        self._config = config
        self._ledger = _ledger(config)

    def write(
        self,
        outcome: Outcome,
        span: ValidityWindow,
        seen: Glance,
        token: str,
        paths: Sequence[Collection[str]],
    ) -> None:
        """Write the record; `paths` are those of the output and of the deploy folder. Raises `OSError`.

        `seen` was seen before anything was read. `token` names what is kept of the site beside the record.
        """
        folders = (self._config.out, self._config.deploy)
        outputs = [publish.output_at(self._config.root, folder) for folder in folders]
        kept = self._ledger.get("folders") or {}
        same = {folder for folder, digest in seen.folders.items() if kept.get(folder) == digest}
        self._ledger.write(
            chain(
                self._lines(outcome, span, seen, token),
                (_line_of_folder(self._config, folder, seen, same) for folder in seen.folders),
                (_line_of_tree(output, of) for output, of in zip(outputs, paths, strict=True)),
            )
        )
        self._ledger.keep()

    def update(self, outcome: Outcome, last: LastExport, touched: Collection[str]) -> None:
        """Write the record of an export that changed the bytes of some files of the output. Raises `OSError`.

        `touched` are the folders in which the disk stamps files anew.
        """
        output = publish.output_at(self._config.root, self._config.out)
        kept, before = self._ledger.get(f"tree {output.key}"), self._ledger.get("folders")
        new = stamps_in(output.out, touched).folders
        tree = [{**kept[0], **new}, _stamp_of_manifest(output), kept[2]]
        changed = (folder for folder, digest in last.seen.folders.items() if before.get(folder) != digest)
        self._ledger.update(
            chain(
                self._lines(outcome, last.span, last.seen, last.token),
                (_line_of_folder(self._config, folder, last.seen, ()) for folder in changed),
                [(f"tree {output.key}", tree)],
            )
        )
        self._ledger.keep()

    def _lines(
        self, outcome: Outcome, span: ValidityWindow, seen: Glance, token: str
    ) -> Iterator[tuple[str, Any]]:
        findings = masked_findings(outcome.findings, self._config.secrets)
        until = None if span.until == float("inf") else span.until
        yield "span", [max(span.first, 0.0), until]
        yield "folders", dict(seen.folders)
        yield "fresh", dict(seen.fresh)
        yield "token", token
        yield "outcome", [outcome.pages, outcome.files, list(map(_FINDING.write, findings))]


def _ledger(config: Config) -> RowSet:
    """The record of the output, and only of the same run in the same fingerprint."""
    output = publish.output_at(config.root, config.out)
    header: list[Any] = [VERSION, output.key, fingerprint.run_digest(config)]
    return RowSet(config.state / "cache" / INDEX, f"export {output.state.name}", header)


def _line_of_folder(config: Config, folder: str, seen: Glance, same: Collection[str]) -> tuple[str, Any]:
    """What lies in a folder of the site; None where the kept line says it."""
    if folder in same:
        return f"in {folder}", None
    digest, found = look_into(config, folder)
    return f"in {folder}", found if digest == seen.folders[folder] else []


def _line_of_tree(output: Output, paths: Collection[str]) -> tuple[str, Any]:
    """What the disk says of published files, and whether no file of others is among them."""
    folders = {"", *parents_of(paths)} if paths else set[str]()
    stamps, said = _tree_of(output, folders)
    return f"tree {output.key}", [*said, stamps.count == len(paths) + len(folders) - 1]


def _tree_of(output: Output, folders: Collection[str]) -> tuple[TreeStamps, list[Any]]:
    """What the disk says of the folders of an output and of its manifest. Raises `OSError`."""
    if publish.is_unfinished(output):
        raise FileExistsError(output.journal)
    stamps = stamps_in(output.out, folders)
    return stamps, [dict(stamps.folders), _stamp_of_manifest(output) if folders else []]


def _stamp_of_manifest(output: Output) -> list[int]:
    seen = os.lstat(output.manifest)
    return [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]
