"""Route handlers: one GET run, its response kept.

Owns what an export makes of a response: a file with its headers, a redirect, or a finding.
Knows no template. Source: RFC 9110 §15 for status codes; nextjs.org, "Route Handlers".
"""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urljoin

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.plan import index_fault, is_index
from pybuild.records import File, Link, Redirection
from pybuild.render.context import RenderContext
from pybuild.render.job import PageJob
from pybuild.render.page_html import Address, read_html
from pybuild.render.page_links import answer_links
from pybuild.render.requests import StaticRequest
from pybuild.render.responses import Answer
from pybuild.render.result import Rendered
from pybuild.render.static_links import style_addresses
from pybuild.render.user_code import Stop, kind_of
from pybuild.rules.media_types import type_of
from pybuild.urls import encode, is_external
from pybuild.web import Redirected

TEXT = "text/plain; charset=utf-8"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STREAMS = frozenset({"multipart/x-mixed-replace", "text/event-stream"})
WHOLE_PAGE = re.compile(r"\s*+(?><!--.*?-->\s*+)*+(?:<!doctype|<html)\b", re.I | re.S)
_SUFFIXES = {
    "application/atom+xml": "xml",
    "application/javascript": "js",
    "application/pdf": "pdf",
    "application/rss+xml": "xml",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "text/css": "css",
    "text/csv": "csv",
    "text/html": "html",
    "text/javascript": "js",
    "text/markdown": "md",
    "text/plain": "txt",
    "text/xml": "xml",
}


def render_handler(context: RenderContext, page: PageJob) -> Rendered:
    """Run GET for one URL. Findings: `import-error`, `handler-error`, `bad-response`, `request-data-at-build`,
    `non-get-handler` for methods that only running the file binds.
    """
    route = page.route
    facts = route.module
    assert facts is not None, "a handler has a module"
    if late := context.code.late_methods(facts.file, facts.names):
        return Rendered(findings=tuple(late))
    at = facts.place("GET")
    dynamic = facts.settings.get("dynamic")
    reading = StaticRequest(context.code, at, refuse=bool(dynamic and dynamic.value == "error"))
    try:
        answer = _get(context, page, at, reading)
    except Stop as stop:
        explained = map(reading.explain, stop.findings)
        raise Stop(*explained, *reading.findings, keeps=stop.keeps) from None
    findings = (*dict.fromkeys(reading.findings), *_ended(page, answer, at))
    if isinstance(answer, Redirection):
        return Rendered(files=stub(context, page, answer), redirection=answer, findings=findings)
    links, link_ids, anchors = _links(context, page, answer, at)
    return Rendered(
        files=(_file(context, page, answer),),
        findings=findings,
        anchors=anchors,
        template_links=links,
        template_link_ids=link_ids,
    )


def _links(
    context: RenderContext, page: PageJob, answer: Answer, at: Location
) -> tuple[tuple[Link, ...], bytes, str]:
    """Where an answer leads that is HTML or a style sheet, as of `template_links`; and the ids of HTML.

    A part of a page is shown in pages that only its user knows: of its addresses those count that are the same in all.
    """
    kind = (answer.media_type or type_of(page.url)).partition(";")[0].strip().lower()
    if kind not in ("text/css", "text/html"):
        return (), b"", ""
    text = answer.body.decode("utf-8", "replace")
    if kind == "text/css":
        return *answer_links(context, page.url, map(Address, dict(style_addresses(text))), at), ""
    read = read_html(text)
    if not WHOLE_PAGE.match(text):
        rooted = (
            one for one in read.addresses if one.named or one.text.startswith("/") or is_external(one.text)
        )
        return *answer_links(context, page.url, rooted, at), ""
    return *answer_links(context, page.url, read.addresses, at, read.ids), "\n".join(("", *read.ids, ""))


def _ended(page: PageJob, answer: Answer | Redirection, at: Location) -> tuple[Diagnostic, ...]:
    """A warning for what is an endless stream elsewhere, and a file that ends here."""
    kind = answer.media_type.partition(";")[0].strip().lower() if isinstance(answer, Answer) else ""
    if kind not in _STREAMS:
        return ()
    message = f"{page.url} answers {kind}, and is published as a file that ends, which browsers ask for again and again"
    hint = "answer JSON, or serve events from a backend, reached through [[proxies]]"
    return (warning("bad-response", message, at, hint),)


def _get(context: RenderContext, page: PageJob, at: Location, reading: StaticRequest) -> Answer | Redirection:
    doing = f"GET {page.url}{page.shown_params}"
    function = _function(context, at)
    with context.code.guard("handler-error", at, doing), context.not_found_is_finding(page, at, doing):
        try:
            said = context.code.respond(function, reading.request(page.ctx), page.ctx)
            answer = context.code.answer(said)
        except Redirected as away:
            return redirection(context, page, away, at)
    if answer is None:
        message = f"{doing} returned {kind_of(said)}, not a response"
        raise Stop(Diagnostic("bad-response", message, at, _response_hint(said)))
    if fault := response_fault(answer, doing, at, hint=page.hint):
        raise Stop(fault)
    if answer.status in REDIRECTS:
        kept = tuple(pair for pair in answer.headers if pair[0] != "location")
        return Redirection(page.url, answer.location, answer.status, at.file, at.line, kept)
    return answer


def _function(context: RenderContext, at: Location) -> Callable[..., Any]:
    module = context.code.load(at.file)
    if not hasattr(module, "GET"):
        raise Stop(
            Diagnostic("missing-get", f"{at.file} defines no GET", at, "define GET(), or delete the file")
        )
    if not callable(module.GET):
        message = f"GET in {at.file} is {kind_of(module.GET)}, not a function"
        raise Stop(Diagnostic("missing-get", message, at, "write def GET(): …"))
    function: Callable[..., Any] = module.GET
    return function


def _response_hint(said: object) -> str:
    if isinstance(said, dict | list):
        return "return JSONResponse(…)"
    if isinstance(said, Iterator | AsyncIterator):
        return "return StreamingResponse(…) of what is yielded"
    return "return JSONResponse(…), PlainTextResponse(…) or another Starlette response"


def redirection(context: RenderContext, page: PageJob, away: Redirected, at: Location) -> Redirection:
    """What became of `redirect()`, placed where it was called. Raises `Stop` with `bad-response`."""
    place = context.code.raised_at(away, at)
    if away.status not in REDIRECTS:
        message = f"{page.url} redirects with the status {away.status}"
        raise Stop(Diagnostic("bad-response", message, place, "use 301, 302, 303, 307 or 308"))
    return Redirection(page.url, away.url, away.status, place.file, place.line)


def response_fault(answer: Answer, doing: str, at: Location, *, hint: str) -> Diagnostic | None:
    """Say why a static host could not answer with this response; `hint` is for what must not fail."""
    said = {name for name, _ in answer.headers}
    if "set-cookie" in said:
        message = f"{doing} sets a cookie, which a static host cannot"
        hint = "remove it, or serve this from a backend"
    elif answer.repeated:
        name = answer.repeated.title()
        message, hint = f"{doing} has the header {name} twice, with two values", f"answer one {name}"
    elif answer.status in REDIRECTS:
        if answer.location:
            return None
        message, hint = f"{doing} answered {answer.status} without a Location", "return redirect(url)"
    elif answer.status >= 400:
        message = f"{doing} answered {answer.status}, and a static host answers 200"
    elif answer.status != 200:
        message = f"{doing} answered {answer.status}, and a static host answers 200"
        hint = "answer 200, or serve this from a backend"
    elif "content-encoding" in said:
        coding = dict(answer.headers)["content-encoding"]
        message = f"{doing} answered a body in the Content-Encoding {coding}, which cannot be decoded here"
        hint = "answer the body as it is; hosts compress what they send"
    else:
        return None
    return Diagnostic("bad-response", message, at, hint)


def _file(context: RenderContext, page: PageJob, answer: Answer) -> File:
    media_type = answer.media_type or _guessed(page.url, answer.body)
    path = place(page.url, media_type, is_folder=page.job.is_folder)
    if path.endswith(".html"):
        _refuse_index(context, page)
    return context.write(path, answer.body, page, media_type=media_type, headers=answer.headers)


def _guessed(url: str, body: bytes) -> str:
    """The type of a response that names none: as the suffix of its address says, else text where it is text."""
    try:
        return "" if type_of(url) or "\0" in body.decode() else TEXT
    except UnicodeDecodeError:
        return ""


def _refuse_index(context: RenderContext, page: PageJob) -> None:
    """Raise `Stop` for HTML at an address that ends in `/index`, whose file would answer for the folder."""
    if is_index(page.url) and not page.job.is_folder:
        module = page.route.module
        raise Stop(
            index_fault(context.site, page.job, module.place("GET") if module else Location(page.origin))
        )


def place(url: str, media_type: str, *, is_folder: bool) -> str:
    """Name the file of a handler: its exact URL, unless that is a folder or has no suffix and is HTML.

    `/api/posts` → `api/posts`, or `api/posts/index.json` where `/api/posts/1` exists; HTML at `/a` → `a.html`.
    """
    suffix = suffix_of(media_type)
    if is_folder or url == "/":
        return f"{url[1:]}/index.{suffix}".lstrip("/")
    named = "." in url.rpartition("/")[2].lstrip(".")
    return url[1:] + (".html" if suffix == "html" and not named else "")


def suffix_of(media_type: str) -> str:
    """The file suffix of a media type: `application/ld+json; charset=utf-8` → `json`; `bin` when unknown."""
    essence = media_type.partition(";")[0].strip().lower()
    structured = {"json": "json", "xml": "xml", "yaml": "yaml"}
    last = essence.rpartition("/")[2].rpartition("+")[2]
    return _SUFFIXES.get(essence) or structured.get(last) or "bin"


def stub(context: RenderContext, page: PageJob, away: Redirection) -> tuple[File, ...]:
    """A page that sends browsers on where the host has no redirects. None where a handler's URL names a file."""
    if page.job.kind == "handler" and "." in page.url.rpartition("/")[2]:
        return ()
    if page.job.kind == "handler":
        _refuse_index(context, page)
    target = _target(context, page, away.location)
    return (context.write(page.path, moved_page(target, context.config.site.origin), page),)


def moved_page(location: str, origin: str) -> bytes:
    """A page that sends browsers on to an address, and asks not to be indexed."""
    target = html.escape(location, quote=True)
    canonical = target if is_external(location) else html.escape(origin, quote=True) + target
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Moved</title>\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n<link rel="canonical" href="{canonical}">\n'
        f'<meta name="robots" content="noindex">\n</head>\n<body>\n<p><a href="{target}">Moved</a></p>\n</body>\n</html>\n'
    ).encode()


def _target(context: RenderContext, page: PageJob, location: str) -> str:
    """Where a redirect leads, as browsers see it: a path of the site is put below the base path."""
    base = encode(context.config.site.base_path)
    if is_external(location):
        return location
    if not location.startswith("/"):
        return urljoin(page.href, location)
    return location if (location + "/").startswith(base + "/") else base + location
