"""Metadata files made by a function: sitemap, robots, manifest, icons and social images.

Owns the call of the function and the bytes of what it returns. The shapes are `assemble.shapes`'s.
Source: Next.js 16, "Metadata Files".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import File, Link, pack_links, unpack_links
from pybuild.render.context import RenderContext
from pybuild.render.handlers import response_fault
from pybuild.render.job import PageJob
from pybuild.render.result import Rendered
from pybuild.render.static_links import sitemap_addresses
from pybuild.render.user_code import Stop, kind_of
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.tree import Route
from pybuild.site_files.user_shapes import manifest_bytes, robots_bytes, sitemap_bytes, sitemap_index_bytes
from pybuild.urls import segment_fault

_SHAPES: Mapping[str, Callable[..., tuple[bytes, tuple[Diagnostic, ...]]]] = {
    "sitemap": sitemap_bytes,
    "robots": robots_bytes,
    "manifest": manifest_bytes,
}
_TYPES = {"sitemap": "application/xml", "robots": "text/plain", "manifest": "application/manifest+json"}
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
)


def render_metadata(context: RenderContext, page: PageJob) -> Rendered:
    """Run one metadata function. Findings: `import-error`, `handler-error`, `bad-response`, `unknown-export`."""
    route = page.route
    facts, kind = route.module, route.metadata
    assert facts is not None and kind is not None, "a metadata file that is not copied has a module"
    if kind == "sitemap" and context.defines(facts, "generate_sitemaps"):
        return _sitemaps(context, page, facts)
    if kind in _SHAPES:
        made, at = _call(context, page, facts, kind)
        file, links = _shaped(context, page, kind, page.url[1:], (made, at))
        return Rendered(files=(file,), links=links)
    return Rendered(files=(_image(context, page, route, facts),))


def _call(
    context: RenderContext, page: PageJob, facts: ModuleFacts, name: str, *arguments: object
) -> tuple[Any, Location]:
    at = facts.place(name)
    function = getattr(context.code.load(facts.file), name, None)
    if not callable(function):
        message = f"{facts.file} defines no {name}()"
        raise Stop(Diagnostic("unknown-export", message, at, f"define {name}(), or delete the file"))
    doing = f"{name} of {facts.file}"
    with context.code.guard("handler-error", at, doing), context.not_found_is_finding(page, at, doing):
        made = context.code.call(function, *arguments)
        if isinstance(made, Iterable) and not isinstance(made, str | bytes | Mapping | list | tuple):
            made = list(made)
    return made, at


def _shaped(
    context: RenderContext, page: PageJob, kind: str, path: str, made: tuple[Any, Location]
) -> tuple[File, str]:
    """Stage what a function returned, at a path of its own where it is one of several sitemaps; with its packed links."""
    value, at = made
    body, findings = _SHAPES[kind](value, context.config, at)
    if any(finding.is_error for finding in findings):
        raise Stop(*findings)
    links = ""
    if kind == "sitemap":  # of its addresses, those of this site
        own = context.library.links.own
        named = ((text, own(text)) for text, _ in sitemap_addresses(body.decode("utf-8")))
        links = pack_links(
            Link(found[0], "", at.file, at.line, text, "sitemap()") for text, found in named if found
        )
    is_other = path != page.url[1:]
    return context.write(path, body, page, media_type=_TYPES[kind], has_own_url=is_other), links


def _sitemaps(context: RenderContext, page: PageJob, facts: ModuleFacts) -> Rendered:
    """Write one sitemap for each id, and the index at the file's own URL."""
    entries, at = _call(context, page, facts, "generate_sitemaps")
    ids = [_id(entry, at) for entry in entries] if isinstance(entries, list | tuple) else None
    if not ids:
        message = "generate_sitemaps returned no list of ids"
        raise Stop(Diagnostic("bad-response", message, at, 'return [{"id": 0}, {"id": 1}]'))
    folder = page.url[1:].removesuffix(".xml")
    paths = [f"{folder}/{name}.xml" for name in map(str, ids)]
    made = [
        _shaped(context, page, "sitemap", path, _call(context, page, facts, "sitemap", name))
        for name, path in zip(ids, paths, strict=True)
    ]
    links = pack_links(Link(*fields) for _, packed in made for fields in unpack_links(packed))
    index = sitemap_index_bytes(paths, context.config)
    own = context.write(page.url[1:], index, page, media_type="application/xml")
    return Rendered(files=(own, *(file for file, _ in made)), links=links)


def _id(entry: object, at: Location) -> str | int:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    if isinstance(name, str | int) and not isinstance(name, bool) and not segment_fault(str(name)):
        return name
    message = f"generate_sitemaps gave {entry!r}, which has no id that can name a file"
    raise Stop(Diagnostic("bad-response", message, at, 'return [{"id": 0}, {"id": 1}]'))


def _image(context: RenderContext, page: PageJob, route: Route, facts: ModuleFacts) -> File:
    """An icon or social image: bytes, or a response with them."""
    name = str(route.metadata).replace("-", "_")
    made, at = _call(context, page, facts, name, page.ctx)
    said = facts.settings.get("content_type")
    declared = str(said.value) if said else "image/png"
    if isinstance(made, bytes | bytearray):
        body, media_type = bytes(made), _sniffed(bytes(made)) or declared
    else:
        body, media_type = _from_response(context, page, made, at)
    if media_type.partition(";")[0].strip() != declared:
        message = f"{name} made {media_type}, but its file is named for {declared}"
        raise Stop(
            Diagnostic("bad-response", message, at, f'write content_type = "{media_type}" in {facts.file}')
        )
    return context.write(page.url[1:], body, page)


def _from_response(context: RenderContext, page: PageJob, made: object, at: Location) -> tuple[bytes, str]:
    name = f"GET {page.url}{page.shown_params}"
    with context.code.guard("handler-error", at, name):
        answer = context.code.answer(made)
    if answer is None:
        message = f"{name} returned {kind_of(made)}, not bytes or a response"
        raise Stop(Diagnostic("bad-response", message, at, "return the bytes of the image"))
    if answer.status != 200 and (fault := response_fault(answer, name, at, hint=page.hint)):
        raise Stop(fault)
    return answer.body, answer.media_type or _sniffed(answer.body)


def _sniffed(body: bytes) -> str:
    """The image type the first bytes tell; "" when they do not."""
    known = next((kind for magic, kind in _MAGIC if body.startswith(magic)), "")
    if not known and body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    head = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    return known or ("image/svg+xml" if head.startswith((b"<svg", b"<?xml")) else "")
