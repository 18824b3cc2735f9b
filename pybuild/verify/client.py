"""Asking a deployed site.

Owns the connections, how many there are and how often a question is put again. Knows no rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx2

from pybuild.verify.compare import Seen
from pybuild.verify.probes import Case, Probe

_TRIES = 3
_BUSY = frozenset({429, 502, 503, 504})  # may pass
_PAUSE = 0.5  # seconds before the second try; doubled for the third
_LONGEST = 10.0  # seconds that a Retry-After can make us wait
Answer = Seen | str  # or why there was none


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a site is asked."""

    jobs: int = 16  # questions at a time
    timeout: float = 10.0  # seconds for one answer
    agent: str = "pybuild-verify"


Answered = Callable[[Probe, Answer], None]


def ask_all(origin: str, cases: Sequence[Case], manner: ClientOptions, answered: Answered) -> None:
    """Put all questions to `origin` ("https://a.example"); `answered` is called for each, in any order of cases."""
    asyncio.run(_ask_all(origin, cases, manner, answered))


async def _ask_all(origin: str, cases: Sequence[Case], manner: ClientOptions, answered: Answered) -> None:
    limits = httpx2.Limits(max_connections=manner.jobs, max_keepalive_connections=manner.jobs)
    headers = {"User-Agent": manner.agent, "Accept-Encoding": "identity"}
    waiting = iter(cases)
    async with httpx2.AsyncClient(
        base_url=origin, limits=limits, timeout=manner.timeout, headers=headers, follow_redirects=False
    ) as client:

        async def work() -> None:
            for case in waiting:
                await _ask(client, case, answered)

        async with asyncio.TaskGroup() as group:
            for _ in range(manner.jobs):
                group.create_task(work())


async def _ask(client: httpx2.AsyncClient, case: Case, answered: Answered) -> None:
    """Put the questions of one address, each after the answer to the one before."""
    tags: dict[tuple[str, ...], str] = {}
    for probe in case:
        key = tuple(value for _, value in probe.request.headers)
        tag = tags.get(key, "")
        if probe.revalidates and not tag:
            continue  # a host without ETags has nothing to answer
        answer = await _answer(client, probe, tag if probe.revalidates else "")
        if isinstance(answer, Seen) and not probe.revalidates and probe.request.method == "GET":
            tags.setdefault(key, answer.headers.get("etag", ""))
        answered(probe, answer)


async def _answer(client: httpx2.AsyncClient, probe: Probe, tag: str) -> Answer:
    headers = [*probe.request.headers, *([("If-None-Match", tag)] if tag else [])]
    if not any(name == "Accept" for name, _ in headers):
        headers.append(("Accept", "*/*"))
    answer: Answer = ""
    for attempt in range(_TRIES):
        wait = _PAUSE * 2**attempt
        try:
            response = await client.request(probe.request.method, probe.request.target, headers=headers)
            answer = _seen(response)
            if response.status_code not in _BUSY or response.status_code == probe.outcome.status:
                return answer
            wait = _retry_after(response.headers.get("retry-after", ""), wait)
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            answer = f"{type(fault).__name__}: {fault}".rstrip(": ")
        if attempt + 1 < _TRIES:
            await asyncio.sleep(wait)
    return answer


def _seen(response: httpx2.Response) -> Seen:
    return Seen(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content)


def _retry_after(value: str, usual: float) -> float:
    return min(float(value), _LONGEST) if value.isdecimal() else usual
