"""What to do about an exception of site code: names of other tools, an address where nothing listens, common slips.

Owns the hints, and the table of names that people try. Places nothing and runs nothing.
Sources: Next.js 16, "Functions" and `next/server`; Django and FastAPI for names of responses; docs/coming-from-next.md.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from types import FrameType
from urllib.parse import urlsplit

from pybuild.config.schema import Site
from pybuild.diagnostics import did_you_mean

_RESPONSES = "use JSONResponse(…), PlainTextResponse(…), HTMLResponse(…) or Response(…), and redirect(url)"
_AT_BUILD = "a page is made once, when the site is exported: take what varies from the path, or serve this from a backend"
_FRESH = "delete it: export again when the content has changed, with revalidate = SECONDS for a result that gets old"
_ACCESS = (
    "a static host lets everybody in: protect it at the host or in a backend, reached through [[proxies]]"
)
_NAMES: Mapping[str, str] = {  # in snake_case, without underscores at the ends
    "next_response": f"{_RESPONSES}; a rewrite is [[rewrites]] in the settings",
    "next_request": "use Request",
    "json_response": "use JSONResponse",
    "html_response": "use HTMLResponse",
    "xml_response": "use XMLResponse",
    "text_response": "use PlainTextResponse",
    "http_response": _RESPONSES,
    "response_redirect": "use redirect(url)",
    "http_response_redirect": "use redirect(url)",
    "streaming_http_response": "use StreamingResponse",
    "event_source_response": "serve events from a backend, reached through [[proxies]]",
    "image_response": 'return the bytes of a picture from opengraph-image.py, or write enabled = true below [cards]',
    "json": "use JSONResponse(…)",
    "rewrite": "write [[rewrites]] into the settings: nothing runs when a static file is served",
    "redirect": "use redirect(url)",
    "next": "write [[rewrites]], [[redirects]] or [[headers]] into the settings: nothing runs when a static file is served",
    "error": "raise an exception: a handler that fails is an error of the export",
    "permanent_redirect": "use permanent_redirect(url)",
    "redirect_permanent": "use permanent_redirect(url)",
    "not_found": "use not_found()",
    "forbidden": _ACCESS,
    "unauthorized": _ACCESS,
    "draft_mode": "export with --drafts: drafts are documents with draft: true, and pybuild dev shows them",
    "revalidate_tag": _FRESH,
    "revalidate_path": _FRESH,
    "update_tag": _FRESH,
    "expire_tag": _FRESH,
    "expire_path": _FRESH,
    "refresh": _FRESH,
    "cache": "use functools.cache within one process, and fetch(url, revalidate=SECONDS) for what comes from elsewhere",
    "unstable_cache": "use fetch(url, revalidate=SECONDS), which remembers between exports",
    "cache_life": "write revalidate = SECONDS at the top of the module",
    "cache_tag": _FRESH,
    "no_store": "delete it, or call fetch(url, revalidate=0) for what must be asked each time",
    "unstable_no_store": "delete it, or call fetch(url, revalidate=0) for what must be asked each time",
    "cookies": _AT_BUILD,
    "headers": f"{_AT_BUILD}; headers of answers are [[headers]] in the settings",
    "connection": _AT_BUILD,
    "user_agent": _AT_BUILD,
    "geolocation": _AT_BUILD,
    "ip_address": _AT_BUILD,
    "after": "call the function before the response is returned: an export waits for it",
    "background_task": "call the function before the response is returned: an export waits for it",
    "before_response": "call the function before the response is returned",
    "use_router": "use links: there is no router in the browser",
    "use_params": "take ctx.params in load(ctx) or GET(request, ctx)",
    "use_pathname": "take ctx.path in load(ctx), or page.path in a template",
    "use_search_params": _AT_BUILD,
    "link": 'write <a href="…"> in the template',
    "image": 'write <img src="…"> in the template, or ![](picture.png) in Markdown',
    "script": 'write <script src="…"> in the layout',
    "head": "write {{ head }} into the layout, and metadata = {…} into page.py",
    "font": "put the files into public/ and name them in a stylesheet",
    "metadata": "write a dict: metadata = {…}",
    "metadata_route": "return a dict or a list: see sitemap.py, robots.py and manifest.py in docs/metadata.md",
    "next_config": "write pybuild.toml",
    "viewport": 'write <meta name="viewport"> into the layout',
    "router": "write app/…/route.py with def GET(request, ctx): folders are the routes",
    "api_router": "write app/…/route.py with def GET(request, ctx): folders are the routes",
    "route": "write app/…/route.py with def GET(request, ctx): folders are the routes",
    "get": "write app/…/route.py with def GET(request, ctx): folders are the routes",
    "render_template": "return the values from load(ctx), and write page.html beside page.py",
    "render": "return the values from load(ctx), and write page.html beside page.py",
    "get_collection": 'use collection("name")',
    "get_static_props": "write load(ctx) in page.py",
    "get_static_paths": "write generate_static_params()",
}  # fmt: skip
_OF_REQUEST: Mapping[str, str] = {
    "next_url": "use request.url; its query is empty while exporting",
    "search_params": _AT_BUILD,
    "args": _AT_BUILD,
    "nexturl": "use request.url; its query is empty while exporting",
    "geo": _AT_BUILD,
    "ip": _AT_BUILD,
    "params": "use ctx.params: def GET(request, ctx)",
    "text": "a GET has no body: take what varies from the path with generate_static_params",
    "form_data": "a GET has no body: take what varies from the path with generate_static_params",
}
_OF_CONTEXT: Mapping[str, str] = {
    "search_params": _AT_BUILD,
    "query": _AT_BUILD,
    "request": "a GET of a route.py names it, def GET(request, ctx); a page is made once, for no request",
    "config": "use ctx.site",
}
_PACKAGES: Mapping[str, str] = {  # of npm, by the first part of a module's name
    "next": "import from pybuild instead, such as JSONResponse, redirect and not_found",
    "react": "write HTML in page.html: there is no React here",
}
_PLACES = r"localhost|127(?:\.\d{1,3}){3}|\[?::1\]?|0\.0\.0\.0"
_CONNECTION = re.compile(r"Connect|gaierror|NameResolution|RemoteDisconnected|NewConnection|Timeout|URLError")


def advice_on(error: BaseException, site: Site | None = None) -> str:
    """The order to follow after an exception of site code."""
    if isinstance(error, ImportError) and (hint := _import_hint(error)):
        return hint
    if isinstance(error, AttributeError | TypeError) and (hint := _attribute_hint(error)):
        return hint
    if isinstance(error, SystemExit):
        return "raise an exception instead, or return a response"
    if isinstance(error, MemoryError):
        return "hold less at a time, or allow more with memory below [build]"
    if isinstance(error, SyntaxError) and "'await' outside" in str(error):
        return "write async def, or leave out await: ctx.params is a dict"
    if isinstance(error, RuntimeWarning) and str(error).endswith("was never awaited"):
        return "write await before the call that made it, in an async function"
    if asked := _own_address(error, site):
        return f"nothing listens at {asked} while the site is exported: import the function that answers and call it"
    return "correct the code at this line"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_")


def _import_hint(error: ImportError) -> str:
    """The hint for a package of JavaScript, or a name that pybuild has not."""
    package = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError):
        return (
            _PACKAGES.get(package)
            or f'install the package that provides "{error.name}", or correct the import'
        )
    name = re.match(r"cannot import name '([^']+)'", str(error))
    if error.name != "pybuild" or not name:
        return ""
    return _NAMES.get(_snake(name[1])) or _nearest(name[1]) or _KNOWN_NAMES


def _attribute_hint(error: AttributeError | TypeError) -> str:
    """The hint for an attribute of pybuild, of a response class, of the request or of the context."""
    said = re.match(r"(?:module|type object|)\s*'([\w.]+)'(?: object)? has no attribute '(\w+)'", str(error))
    if isinstance(error, TypeError):
        if re.search(
            r"'?(?:async_generator|coroutine|function)'? object is not (?:subscriptable|iterable)", str(error)
        ):
            return "write await before the call, in an async def"
        return ""
    if not said:
        return ""
    owner, name = said[1], _snake(said[2])
    if owner == "pybuild":
        return _NAMES.get(name) or _nearest(said[2]) or _KNOWN_NAMES
    if owner.endswith("Response"):
        return _NAMES.get(name, "")
    if owner == "BuildRequest":
        return _OF_REQUEST.get(name, "")
    if owner == "Context":
        return _OF_CONTEXT.get(name, "ctx has params, path, url and site")
    return ""


_PUBLIC = (
    "FileResponse", "HTMLResponse", "JSONResponse", "MarkdownResponse", "PlainTextResponse", "RedirectResponse", "Request",
    "Response", "StreamingResponse", "XMLResponse", "collection", "data", "fetch", "fetch_async", "not_found", "paginate",
    "permanent_redirect", "redirect",
)  # fmt: skip
_KNOWN_NAMES = f"pybuild has {', '.join(_PUBLIC)}"


def _nearest(name: str) -> str:
    folded = {known.replace("_", "").lower(): known for known in _PUBLIC}
    same = folded.get(name.replace("_", "").lower())
    return f'did you mean "{same}"?' if same else did_you_mean(name, _PUBLIC)


def _own_address(error: BaseException, site: Site | None) -> str:
    """The address of this site, or of this machine, that the code could not reach; "" where it asked none."""
    chain = list(_chain(error))
    if not any(_CONNECTION.search(type(one).__name__) for one in chain):
        return ""
    host = re.escape(urlsplit(site.url).hostname or "") if site else ""
    place = re.compile(rf"(?:^|//|@)((?:{_PLACES}{'|' + host if host else ''})(?::\d+)?)(?=[/?#]|$)", re.I)
    for frame in (
        frame for one in chain for frame, _ in reversed(list(traceback.walk_tb(one.__traceback__)))
    ):
        for text in _texts(frame):
            if found := place.search(text):
                return found[1]
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        inner = getattr(one, "reason", None)
        one = one.__cause__ or one.__context__ or (inner if isinstance(inner, BaseException) else None)


def _texts(frame: FrameType) -> Iterator[str]:
    """Texts and (host, port) pairs that a frame holds, as texts."""
    for value in (*frame.f_locals.values(), *frame.f_code.co_consts, *frame.f_globals.values()):
        if isinstance(value, str):
            yield value
        elif (
            isinstance(value, tuple)
            and len(value) >= 2
            and isinstance(value[0], str)
            and isinstance(value[1], int)
        ):
            yield f"{value[0]}:{value[1]}"
