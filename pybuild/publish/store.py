"""A site in a store: builds under names of their own, manifests, and one pointer that says which one is served.

Owns the keys `_manifests/…`, `v/…`, `_bodies/…` and `current.json`, and the licence to delete: what an old manifest of
ours names, and neither the current nor the one before it does. Nothing is ever deleted by its prefix or from a listing.
Source of truth: docs/cluster.md, "A store".
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pybuild.diagnostics import Diagnostic
from pybuild.objects import Objects, StoreFault, Version
from pybuild.publish.stage import Stage
from pybuild.records import File, Files
from pybuild.rules.media_types import type_of

_POINTER = "current.json"
_WRITERS = 16  # requests at a time
_KEPT = {  # response header → what a store calls it
    "cache-control": "Cache-Control",
    "content-disposition": "Content-Disposition",
    "content-encoding": "Content-Encoding",
    "content-language": "Content-Language",
}


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a store serves."""

    objects: Objects
    version: Version | None  # None: there is no pointer yet
    manifest: str = ""  # the digest of the manifest
    build: str = ""
    written: datetime.datetime | None = None


def read_pointer(url: str) -> Pointer:
    """Read what is served now. Raises `StoreFault`."""
    objects = Objects(url)
    found = objects.read(_POINTER)
    if found is None:
        return Pointer(objects, None)
    body, version, written = found
    try:
        table = json.loads(body)
        return Pointer(objects, version, str(table["manifest"]), str(table["build"]), written)
    except (ValueError, TypeError, KeyError) as fault:
        raise StoreFault(f"{_POINTER} is not one of pybuild's") from fault


def publish_to_store(
    pointer: Pointer, stage: Stage, files: Files, *, with_versions: bool
) -> tuple[Diagnostic, ...]:
    """Write the build and its manifest, then move the pointer. Findings: `locked`, `publish-error`.

    `with_versions`: every file goes to `v/<build>/<path>`, with its type and headers; otherwise the store only keeps
    what workers wrote. Until the pointer has moved nothing has changed for whoever reads the store.
    """
    objects = pointer.objects
    rows = [
        [file.path, file.digest, file.size, file.media_type, list(file.headers)] for file in files.values()
    ]
    listed = json.dumps(rows, separators=(",", ":"))
    build = hashlib.sha256(f"{with_versions}{listed}".encode()).hexdigest()[:16]
    if build == pointer.build:
        return ()
    table = {
        "version": 1,
        "build": build,
        "previous": pointer.manifest,
        "served": with_versions,
        "files": rows,
    }
    manifest = json.dumps(table, separators=(",", ":")).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    said = json.dumps({"version": 1, "manifest": digest, "build": build}).encode()
    try:
        if with_versions:
            with ThreadPoolExecutor(_WRITERS) as pool:
                list(pool.map(lambda file: _upload(objects, stage, build, file), files.values()))
        objects.create(f"_manifests/{digest}.json", manifest)
    except (StoreFault, OSError) as fault:
        return (_unpublished(f"could not publish to {objects.url}, what it serves is as it was: {fault}"),)
    return _moved(pointer, said)


def _moved(pointer: Pointer, said: bytes) -> tuple[Diagnostic, ...]:
    """Move the pointer, if it is what it was. An answer that was lost is asked for again: the write may have been done."""
    objects = pointer.objects
    try:
        is_done, fault = objects.replace(_POINTER, said, pointer.version), None
    except StoreFault as lost:
        is_done, fault = False, lost
    if is_done:
        return ()
    try:
        found = objects.read(_POINTER)
    except StoreFault as unknown:
        message = f"cannot tell whether {objects.url} serves this build or the one before: {fault or unknown}"
        return (_unpublished(message),)
    if found and found[0] == said:
        return ()
    if fault and (found and found[1]) == pointer.version:
        return (_unpublished(f"could not publish to {objects.url}, what it serves is as it was: {fault}"),)
    message = f"somebody else has published to {objects.url} since this export began; nothing was changed"
    return (Diagnostic("locked", message, hint="export again"),)


def _unpublished(message: str) -> Diagnostic:
    return Diagnostic("publish-error", message, hint="remove the cause and export again")


def _upload(objects: Objects, stage: Stage, build: str, file: File) -> None:
    named = {name.lower(): value for name, value in file.headers}
    attributes = {_KEPT[name]: value for name, value in named.items() if name in _KEPT}
    if kind := file.media_type or type_of(file.path):
        attributes["Content-Type"] = kind
    staged = stage.tree / file.path
    objects.put(
        f"v/{build}/{file.path}", staged if staged.exists() else stage.output.out / file.path, attributes
    )


@dataclass(frozen=True, slots=True)
class _Manifest:
    """An old or the current build in the store."""

    digest: str
    previous: str
    keys: frozenset[str]  # of its objects

    @staticmethod
    def parse(digest: str, body: bytes) -> _Manifest:
        table: Any = json.loads(body)
        rows = table["files"]
        bodies = {f"_bodies/{row[1]}" for row in rows}
        served = {f"v/{table['build']}/{row[0]}" for row in rows} if table["served"] else set()
        return _Manifest(digest, str(table["previous"]), frozenset(bodies | served))


def clean_store(url: str, grace: float, now: datetime.datetime) -> tuple[int, tuple[Diagnostic, ...]]:
    """Delete what only older builds have; return how many names. Finding: `publish-error`.

    `grace` is in seconds: so long after a publication nothing is deleted, for whoever still reads the old site.
    """
    try:
        pointer = read_pointer(url)
        if pointer.written is None or (now - pointer.written).total_seconds() < grace:
            return 0, ()
        chain = list(_chain(pointer))
        kept = frozenset().union(*(manifest.keys for manifest in chain[:2]))
        gone = sorted(frozenset().union(*(manifest.keys for manifest in chain[2:])) - kept)
        pointer.objects.delete(gone)
        # The oldest first: what is cut off is found again from the newer ones.
        pointer.objects.delete(f"_manifests/{manifest.digest}.json" for manifest in reversed(chain[2:]))
    except (StoreFault, ValueError, KeyError, TypeError) as fault:
        message = f"could not clean {url}: {fault}"
        return 0, (Diagnostic("publish-error", message, hint="remove the cause and clean again"),)
    return len(gone), ()


def _chain(pointer: Pointer) -> Iterator[_Manifest]:
    """The manifests from the current one back to the oldest that is still there."""
    digest, seen = pointer.manifest, set[str]()
    while digest and digest not in seen:
        seen.add(digest)
        found = pointer.objects.read(f"_manifests/{digest}.json")
        if found is None:
            return
        manifest = _Manifest.parse(digest, found[0])
        yield manifest
        digest = manifest.previous
