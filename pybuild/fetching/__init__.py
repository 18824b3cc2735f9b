"""`fetch`: requests of site code, asked once an export and remembered between exports.

Owns what is asked, what is kept, and for how long. Knows no page and no cache of pages.

    begin_export(Session(folder, run="…"))      # once a worker
    begin_job(Policy(revalidate=60))            # before the code of a page runs
    response = fetch("https://api.example/x")   # in site code
    calls = end_job()                           # (key, digest of the body) of each answer it used

Sources: RFC 9110 §13 (validators), §10.2.3 (Retry-After), §15.4 (redirects); Next.js 16, "fetch" and "fetchCache".
The rules for keeping are Next's, not those of RFC 9111: the page says how old an answer may be, not the server.
"""

from pybuild.fetching.client import (
    Policy,
    Session,
    asked_again,
    begin_export,
    begin_job,
    calls_of_all_jobs,
    end_job,
    fetch,
    fetch_async,
    figures,
    holding,
    holds,
    open_session,
)
from pybuild.fetching.failure import FetchFailed

__all__ = [
    "FetchFailed",
    "Policy",
    "Session",
    "asked_again",
    "begin_export",
    "begin_job",
    "calls_of_all_jobs",
    "end_job",
    "fetch",
    "fetch_async",
    "figures",
    "holding",
    "holds",
    "open_session",
]
