"""Objects in a store: S3 and what speaks it, GCS, Azure, or a folder.

Owns the conditions under which an object is written. Knows no site: keys are paths below the address.
Source of truth: Amazon S3, "Conditional writes"; RFC 9110 §13 for If-Match and If-None-Match; obstore's documentation.
"""

from __future__ import annotations

import datetime
import pkgutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OPTIONS = {"max_retries": 4, "retry_timeout": datetime.timedelta(seconds=60)}
_WAITS = (0.1, 0.5)  # seconds
SCHEMES = ("s3", "s3a", "gs", "az", "file")


class StoreFault(Exception):
    """The store refused, or could not be asked; the text says so without secrets of its address."""


class Cut(StoreFault):
    """The network or the server failed; whether the write was done is not known."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which writing of an object this is."""

    tag: str
    number: str | None = None  # what GCS calls the generation

    def condition(self) -> dict[str, str]:
        """The condition that nobody has written since."""
        return {"e_tag": self.tag, **({"version": self.number} if self.number else {})}


class Objects:
    """The objects below one address. Every method raises `StoreFault`."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._api: Any = pkgutil.resolve_name("obstore")
            if url.startswith("file://"):
                Path(url.removeprefix("file://")).mkdir(0o700, parents=True, exist_ok=True)
                self._store = pkgutil.resolve_name("obstore.store:from_url")(url)
            else:
                self._store = pkgutil.resolve_name("obstore.store:from_url")(url, retry_config=_OPTIONS)
        except ImportError as missing:
            raise StoreFault('it needs the extra: pip install "pybuild-export[cluster]"') from missing
        except Exception as fault:
            raise StoreFault(_said(fault)) from fault
        errors = self._api.exceptions
        self._exists = errors.AlreadyExistsError, errors.PreconditionError

    def create(self, key: str, body: bytes | Path) -> None:
        """Write an object whose name says what is in it, if it is not there.

        Who writes under a condition is not retried by obstore, since an answer that was lost may have been a yes.
        Here a second try that finds the object has found these bytes.
        """
        for wait in _WAITS:
            try:
                self._put(key, body, "create", None)
            except Cut:
                time.sleep(wait)
            else:
                return
        self._put(key, body, "create", None)

    def put(self, key: str, body: bytes | Path, attributes: Mapping[str, str] | None = None) -> None:
        """Write an object, whatever is there."""
        self._put(key, body, "overwrite", attributes)

    def replace(self, key: str, body: bytes, version: Version | None) -> bool:
        """Write an object if it is still of this version, or still absent; False where somebody else was faster."""
        if version is None:
            return self._put(key, body, "create", None)
        if self.url.startswith("file://"):  # folders know no condition
            found = self.read(key)
            return bool(found and found[1] == version) and self._put(key, body, "overwrite", None)
        return self._put(key, body, version.condition(), None)

    def get(self, key: str) -> bytes:
        """Read an object that must be there."""
        found = self.read(key)
        if found is None:
            raise StoreFault(f"{key} is missing")
        return found[0]

    def read(self, key: str) -> tuple[bytes, Version, datetime.datetime] | None:
        """Read an object, its version and when it was written; None where there is none."""
        try:
            found = self._api.get(self._store, key)
            said = found.meta
            body = bytes(found.bytes())
        except FileNotFoundError:
            return None
        except Exception as fault:
            raise StoreFault(_said(fault)) from fault
        return body, Version(str(said["e_tag"]), said.get("version")), said["last_modified"]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are none the less deleted."""
        for key in keys:
            try:
                self._api.delete(self._store, key)
            except FileNotFoundError:
                continue
            except Exception as fault:
                raise StoreFault(_said(fault)) from fault

    def _put(self, key: str, body: bytes | Path, mode: Any, attributes: Mapping[str, str] | None) -> bool:
        try:
            # A condition holds for one request only, so nothing is sent in parts.
            content = body.read_bytes() if isinstance(body, Path) else body
            is_folder = self.url.startswith("file://")  # whose files have no attributes
            options = {"attributes": dict(attributes)} if attributes and not is_folder else {}
            self._api.put(self._store, key, content, mode=mode, use_multipart=False, **options)
        except self._exists:
            return False
        except self._api.exceptions.GenericError as fault:
            raise Cut(_said(fault)) from fault
        except Exception as fault:
            raise StoreFault(_said(fault)) from fault
        return True


def _said(fault: Exception) -> str:
    """The first line of an error; what follows are answers of servers and the innards of a library."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:300]
