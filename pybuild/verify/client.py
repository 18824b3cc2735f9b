"""Asking a deployed site.

Owns the connections, how many there are and how often a question is put again. Knows no rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx2

from pybuild.records import Headers
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
    timeout: float = 10.0  # seconds for one whole answer
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
                first: dict[tuple[str, ...], Answer] = {}
                for probe in case:
                    key = tuple(value for _, value in probe.request.headers)
                    known = first.get(key, "")
                    tag = (
                        known.headers.get("etag", "") if isinstance(known, Seen) and probe.revalidates else ""
                    )
                    if probe.revalidates and not tag:
                        answered(probe, known)  # there is nothing to send: what came before has no ETag
                        continue
                    answer = await _answer(client, probe, tag, manner)
                    if not probe.revalidates and probe.request.method == "GET":
                        first.setdefault(key, answer)
                    answered(probe, answer)

        async with asyncio.TaskGroup() as group:
            for _ in range(manner.jobs):
                group.create_task(work())


async def _answer(client: httpx2.AsyncClient, probe: Probe, tag: str, manner: ClientOptions) -> Answer:
    headers = (*probe.request.headers, *((("If-None-Match", tag),) if tag else ()))
    if not any(name == "Accept" for name, _ in headers):
        headers = (*headers, ("Accept", "*/*"))
    answer: Answer = ""
    for attempt in range(_TRIES):
        wait = _PAUSE * 2**attempt
        try:
            async with asyncio.timeout(manner.timeout):
                seen = answer = await _seen(client, probe, headers)
            if seen.status not in _BUSY or seen.status == probe.outcome.status:
                return seen
            asked = seen.headers.get("retry-after", "")
            wait = min(float(asked), _LONGEST) if asked.isdecimal() else wait
        except TimeoutError:
            answer = f"the answer is not whole after {manner.timeout:g} seconds"
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            answer = f"{type(fault).__name__}: {fault}".rstrip(": ")
        if attempt + 1 < _TRIES:
            await asyncio.sleep(wait)
    return answer


async def _seen(client: httpx2.AsyncClient, probe: Probe, headers: Headers) -> Seen:
    """One answer, with one byte of the body more than there should be, at most."""
    body = bytearray()
    async with client.stream(probe.request.method, probe.request.target, headers=headers) as response:
        if probe.longest:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > probe.longest:
                    break
    said = {name.lower(): value for name, value in response.headers.items()}
    return Seen(response.status_code, said, bytes(body[: probe.longest + 1]))
