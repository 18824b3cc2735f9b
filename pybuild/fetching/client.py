"""The client that site code calls: `fetch` and `fetch_async`.

Owns when an answer that is kept is used, when the source is asked, and how often. Every answer is fixed for the
export that used it first, so two calls never see two results.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import math
import secrets
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from pybuild.fetching.ask import Request, ask, close_client
from pybuild.fetching.failure import FetchFailed, has_secret, is_secret_name, shown_url
from pybuild.fetching.store import Came, Kept, Store

Age = int | Literal[False] | None  # seconds; False: for ever; None: ask once an export
_MEMORY = Path("/dev/shm")  # a file system that no disk holds: tmpfs(5)
_ASKERS = 16  # threads that ask whether answers still hold
_SHOWN_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Session:
    """What all fetches of one export share. Travels to workers."""

    folder: Path
    run: str  # names the export; hard to guess
    offline: bool = False
    is_read: bool = True  # answers of earlier exports may be used
    own_url: str = ""  # of the site that is exported: nothing listens there

    @property
    def private(self) -> Path:
        """The folder in memory that is removed when the export ends."""
        return _MEMORY / f"pybuild-{self.run}"


@contextlib.contextmanager
def open_session(folder: Path, *, offline: bool, is_read: bool, own_url: str) -> Iterator[Session]:
    """Share answers for the time of an export."""
    session = Session(folder, secrets.token_hex(16), offline=offline, is_read=is_read, own_url=own_url)
    try:
        yield session
    finally:
        shutil.rmtree(session.private, ignore_errors=True)


@dataclass
class Policy:
    """What the page that runs says of its fetches."""

    revalidate: Age = None
    fetch_cache: str = "auto"
    deadline: float = math.inf  # by `time.monotonic`
    calls: dict[str, str] = field(default_factory=dict)  # key to digest, of answers that may be asked again
    is_repeatable: bool = True  # whether `calls` is all that it asked
    keeps: bool = False  # whether its page of the last export stays where a source of it is down


@dataclass
class _Current:
    """The session and policy of this process: it runs one page at a time, in as many threads as that starts."""

    session: Session | None = None
    policy: Policy = field(default_factory=Policy)
    answers: dict[str, Kept] = field(default_factory=dict)
    common: Policy = field(default_factory=Policy)  # with the calls of code that runs once for all jobs


_CURRENT = _Current()
_GUARD = threading.Lock()


def begin_export(session: Session | None) -> None:
    """Set what fetches of this process share."""
    _CURRENT.session, _CURRENT.answers, _CURRENT.common = session, {}, Policy()


def begin_job(policy: Policy) -> None:
    """Set what the page that runs next says of its fetches."""
    _CURRENT.policy = policy


def end_job() -> Policy:
    """The policy of the page that ran, with the calls it made."""
    policy, _CURRENT.policy = _CURRENT.policy, Policy()
    return _joined(_CURRENT.common, policy)


def _joined(common: Policy, policy: Policy) -> Policy:
    calls = {**common.calls, **policy.calls}
    is_repeatable = policy.is_repeatable and common.is_repeatable
    return replace(policy, calls=calls, is_repeatable=is_repeatable, keeps=policy.keeps or common.keeps)


@contextlib.contextmanager
def calls_of_all_jobs() -> Iterator[None]:
    """Count the calls made inside among those of this job and all later ones: imports run once for them."""
    outer, own = _CURRENT.policy, replace(_CURRENT.policy, calls={}, is_repeatable=True, keeps=False)
    _CURRENT.policy = own
    try:
        yield
    finally:
        _CURRENT.policy = outer
        _CURRENT.common = _joined(own, _CURRENT.common)


def fetch(
    url: str,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
    revalidate: Age = None,
    timeout: float = 30,
    retries: int = 3,
    max_bytes: int = 64 << 20,
    on_error: Literal["error", "keep"] = "error",
) -> httpx2.Response:
    """GET a URL, once an export for equal calls. The answer has the interface of `httpx`.

    `revalidate` is how many seconds an answer of an earlier export may be used; False for ever; None as the module
    says, else the source is asked once an export whether it changed. `timeout` bounds the whole answer, in seconds.
    With `on_error="keep"` the page of the last export stays where the failure of this call would end the page.
    Raises `FetchFailed` for a status over 399, a source that cannot be asked, and more than `max_bytes`.
    """
    if on_error not in ("error", "keep"):
        raise ValueError(f'on_error = {on_error!r}: it must be "error" or "keep"')
    request = Request.of(url, headers, timeout=timeout, retries=retries, max_bytes=max_bytes)
    _CURRENT.policy.keeps |= on_error == "keep"
    try:
        kept = _answer(request, _age(revalidate))
    except FetchFailed as fault:
        fault.keeps = on_error == "keep"
        raise
    return httpx2.Response(
        kept.status, headers=list(kept.headers), content=kept.body, request=httpx2.Request("GET", kept.url)
    )


async def fetch_async(url: str, **options: Any) -> httpx2.Response:
    """The same for async handlers; calls that are gathered run side by side."""
    return await asyncio.to_thread(fetch, url, **options)


def _age(revalidate: Age) -> float | None:
    """How old an answer may be, in seconds: infinite for ever, None to ask once an export, -1 to keep nothing.

    Source: Next.js 16, "Route Segment Config", fetchCache.
    """
    policy = _CURRENT.policy
    mode = policy.fetch_cache
    if mode == "only-no-store" and revalidate:
        raise ValueError(
            f'revalidate = {revalidate!r} keeps an answer, and fetch_cache = "only-no-store" forbids it'
        )
    if mode == "only-cache" and revalidate == 0 and revalidate is not False:
        raise ValueError('revalidate = 0 keeps nothing, and fetch_cache = "only-cache" forbids it')
    if mode in ("no-store", "force-no-store", "only-no-store"):
        return -1
    if revalidate is None and mode == "default-no-store":
        return -1
    chosen = policy.revalidate if revalidate is None else revalidate
    if chosen is False or (chosen is None and mode in ("force-cache", "only-cache", "default-cache")):
        return math.inf
    return None if chosen is None else chosen or (math.inf if mode == "force-cache" else -1)


def _answer(request: Request, age: float | None) -> Kept:
    session, policy = _CURRENT.session, _CURRENT.policy
    if session and session.own_url and f"{request.url}/".startswith(session.own_url.rstrip("/") + "/"):
        raise FetchFailed(
            f"{shown_url(request.url)} is an address of this site, and nothing listens there while it is exported",
            "import the function that answers it and call that",
            url=request.url,
        )
    if session is None:
        return ask(request, None, deadline=policy.deadline)
    plain = json.dumps([request.url, request.headers, request.max_bytes])
    key = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
    kept = _CURRENT.answers.get(key) or _shared(request, key, age, session)
    with _GUARD:
        _CURRENT.answers[key] = kept
        if kept.is_kept and not _is_private(request):
            policy.calls[key] = kept.digest
        else:
            policy.is_repeatable = False
    if kept.failure:
        message, hint, status = kept.failure
        raise FetchFailed(message, hint, url=request.url, status=status)
    return kept


def _shared(request: Request, key: str, age: float | None, session: Session) -> Kept:
    """The answer that every worker of this export sees."""
    store = _store_of(request, session)
    if store is None:
        return _asked(request, None, age, session)
    with store.locked(key):
        kept, failed = store.load(key), store.load(f"{key}-failed")
        for known in (kept, failed):
            if known and known.run == session.run:
                return known
        if kept and (not kept.is_kept or not session.is_read):
            kept = None
        if kept and (session.offline or (age is not None and time.time() - kept.asked_at < age)):
            kept = replace(kept, run=session.run, age=age, came="kept", seconds=0.0)
        else:
            with store.place_at(urlsplit(request.url).netloc):
                kept = _asked(request, kept, age, session)
        # A source that is down for once does not take away what it said before.
        store.save(f"{key}-failed" if kept.failure else key, kept)
        return kept


def _asked(request: Request, kept: Kept | None, age: float | None, session: Session) -> Kept:
    """Ask the source; a failure is an answer too, so that a source that is down is asked once."""
    if session.offline:
        message = f"{shown_url(request.url)} is not kept, and --offline asks nobody"
        hint = "export once without --offline"
        return Kept(request.url, 0, (), b"", 0, session.run, False, failure=(message, hint, 0))
    start = time.monotonic()
    try:
        answer = ask(request, kept, deadline=_CURRENT.policy.deadline)
    except FetchFailed as fault:
        failure = (str(fault), fault.hint, fault.status)
        return Kept(request.url, 0, (), b"", 0, session.run, False, failure=failure)
    asked = (request.url, request.headers, request.timeout, request.retries, request.max_bytes)
    came: Came = "unchanged" if kept and answer.body is kept.body else "sent"
    seconds = time.monotonic() - start
    return replace(
        answer, run=session.run, is_kept=age != -1, age=age, asked=asked, came=came, seconds=seconds
    )


def _store_of(request: Request, session: Session) -> Store | None:
    """Where the workers share an answer; one to a request with credentials never comes to a disk."""
    if not _is_private(request):
        return _opened(session.folder)
    return _opened(session.private) if _MEMORY.is_dir() else None


@cache
def _opened(folder: Path) -> Store:
    return Store(folder)


def _is_private(request: Request) -> bool:
    return has_secret(request.url) or any(is_secret_name(name) for name, _ in request.headers)


def holds(session: Session, key: str, digest: str) -> bool:
    """Whether an answer that an earlier export used is still the same; the source is asked where its age says so."""
    kept = _opened(session.folder).load(key)
    if kept is None or not kept.asked[0]:
        return False
    now = _shared(Request(*kept.asked), key, kept.age, session)
    return not now.failure and now.digest == digest


def holding(session: Session, calls: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of (key, digest) that `holds` is true of; sources are asked side by side. Workers may be forked afterwards."""
    if not calls:
        return frozenset()
    with ThreadPoolExecutor(_ASKERS) as pool:
        held = pool.map(lambda call: holds(session, *call), calls)
        found = frozenset(call for call, is_held in zip(calls, held, strict=True) if is_held)
    close_client()
    return found


def asked_again(session: Session, keys: Iterable[str]) -> float:
    """When the first of these answers has to be asked for again, in seconds since 1970; infinite for never."""
    kept = (_opened(session.folder).load(key) for key in keys)
    return min(
        (one.asked_at + one.age if one and one.age is not None else 0 for one in kept), default=math.inf
    )


def figures(session: Session) -> Iterator[tuple[str, float]]:
    """What the fetches of an export came to: answers by how they came, bytes, and the slowest hosts."""
    if not session.folder.is_dir():
        return
    every = _opened(session.folder).every()
    used = [kept for kept in every if kept.run == session.run and not kept.failure]
    for came in ("kept", "unchanged", "sent"):
        if number := sum(kept.came == came for kept in used):
            yield f"answers {came}", number
    hosts: dict[str, float] = {}
    for kept in used:
        host = urlsplit(kept.asked[0] or kept.url).netloc.rpartition("@")[2]
        hosts[host] = hosts.get(host, 0.0) + kept.seconds
    if size := sum(len(kept.body) for kept in used if kept.came == "sent"):
        yield "bytes sent", size
    slowest = sorted(hosts.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN_HOSTS]
    yield from ((f"seconds of {host}", round(seconds, 3)) for host, seconds in slowest if seconds)
