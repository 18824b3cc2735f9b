"""pybuild: a folder of routes becomes a site any static host serves.

Owns the names a site author imports. They are loaded when first asked for, so that `pybuild --help`
does not pay for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pybuild.fetching import FetchFailed, fetch, fetch_async
    from pybuild.render.data import data
    from pybuild.render.documents import Document, DocumentCollection, collection
    from pybuild.render.user_code import Context
    from pybuild.source.lists import paginate
    from pybuild.web import (
        FileResponse,
        HTMLResponse,
        JSONResponse,
        MarkdownResponse,
        PlainTextResponse,
        RedirectResponse,
        Request,
        Response,
        StreamingResponse,
        XMLResponse,
        not_found,
        permanent_redirect,
        redirect,
    )

__version__ = "0.1.0"

__all__ = [
    "Context",
    "Document",
    "DocumentCollection",
    "FetchFailed",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "MarkdownResponse",
    "PlainTextResponse",
    "RedirectResponse",
    "Request",
    "Response",
    "StreamingResponse",
    "XMLResponse",
    "__version__",
    "collection",
    "data",
    "fetch",
    "fetch_async",
    "not_found",
    "paginate",
    "permanent_redirect",
    "redirect",
]

_ELSEWHERE = {
    "Context": "pybuild.render.user_code",
    "Document": "pybuild.render.documents",
    "DocumentCollection": "pybuild.render.documents",
    "FetchFailed": "pybuild.fetching",
    "collection": "pybuild.render.documents",
    "data": "pybuild.render.data",
    "fetch": "pybuild.fetching",
    "fetch_async": "pybuild.fetching",
    "paginate": "pybuild.source.lists",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pybuild' has no attribute {name!r}")
    return getattr(importlib.import_module(_ELSEWHERE.get(name, "pybuild.web")), name)
