"""Site code: importing it, calling it, and saying where it went wrong.

The only module that imports or calls what a site author wrote. Knows no output path and no template.
Sources: importlib, "Importing a source file directly"; the ASGI specification 3.0 for responses.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import traceback
import types
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from starlette.responses import Response

from pybuild.artifact import Headers
from pybuild.config import Site
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.web import BuildRequest, NotFound, Redirected

METHODS = ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_SERVER_OWN = frozenset(  # a host sets these itself from the bytes it serves
    ["content-length", "etag", "last-modified", "date", "accept-ranges", "transfer-encoding", "connection", "server"]
)
_PACKAGE = "_pybuild_site"


@dataclass(frozen=True, slots=True)
class Context:
    """What `GET`, `load` and `generate_metadata` are given as `ctx`."""

    params: Mapping[str, Any]  # name to str, or to a list of str for a catch-all
    path: str  # decoded URL: "/docs/a"
    url: str  # absolute and encoded: "https://a.example/docs/a"
    site: Site


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says, read to its end."""

    status: int
    body: bytes
    media_type: str  # the whole Content-Type; "" when the response has none
    headers: Headers  # lower-case names, in the order of the response, without what a host sets itself
    location: str = ""


class Stop(Exception):
    """Ends the work on one page; carries the findings that say why."""

    def __init__(self, *findings: Diagnostic) -> None:
        super().__init__(*findings)
        self.findings = findings


class SiteCode:
    """The site's modules, imported once a process.

    The site root is put on `sys.path`; nothing is written beside the sources.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._modules: dict[str, types.ModuleType] = {}
        self._faults: dict[str, Stop] = {}
        sys.dont_write_bytecode = True
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))

    @cached_property
    def _runner(self) -> asyncio.Runner:
        return asyncio.Runner()

    def load(self, file: str) -> types.ModuleType:
        """Import a file of the site once. Raises `Stop` with `import-error`, the same one each time."""
        if file in self._faults:
            raise self._faults[file]
        if file not in self._modules:
            try:
                self._modules[file] = self._import(file)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as fault:
                self._faults[file] = Stop(
                    self.fault(fault, "import-error", Location(file, 1), f"importing {file}")
                )
                raise self._faults[file] from None
        return self._modules[file]

    def _import(self, file: str) -> types.ModuleType:
        """Import by path, inside packages made for the folders so that relative imports work."""
        name = self._package_of(file) + "." + Path(file).stem.replace(".", "_")
        spec = importlib.util.spec_from_file_location(name, self.root / file)
        assert spec and spec.loader, f"{file} is a Python file"
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def _package_of(self, file: str) -> str:
        name, folder = _PACKAGE, self.root
        for part in ("", *file.split("/")[:-1]):
            if part:
                name, folder = f"{name}.{part.replace('.', '_')}", folder / part
            if name not in sys.modules:
                package = types.ModuleType(name)
                package.__path__ = [str(folder)]
                sys.modules[name] = package
        return name

    def late_methods(self, file: str, seen: Iterable[str]) -> list[Diagnostic]:
        """Find methods that only running the module binds, such as through `globals()`."""
        module = self.load(file)
        late = [m for m in METHODS if m not in set(seen) and callable(getattr(module, m, None))]
        return [
            Diagnostic(
                "non-get-handler",
                f"{method} cannot be exported: a static host only answers GET",
                Location(file, _line_of(getattr(module, method), self.root / file)),
                f"remove {method}, or serve it from a backend and add a [[proxies]] rule",
            )
            for method in late
        ]

    def line(self, file: str, name: str) -> int | None:
        """The line where a function of a loaded module starts; None for anything else."""
        found = _line_of(getattr(self.load(file), name, None), self.root / file)
        return found if found > 1 else None

    @contextmanager
    def guard(self, code: str, at: Location, doing: str) -> Iterator[None]:
        """Turn whatever site code raises into `Stop` with one finding. A redirect passes."""
        try:
            yield
        except (Stop, Redirected, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            raise Stop(self.fault(error, code, at, doing)) from None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call with as many of the arguments as the function takes, and wait for the result if it must be."""
        result = function(*arguments[: _arity(function, len(arguments))])
        return self.settle(result)

    def settle(self, result: Any) -> Any:
        """Await an awaitable and gather an async iterator; anything else is returned as it is."""
        if inspect.isawaitable(result):
            return self._runner.run(_await(result))
        if isinstance(result, AsyncIterable) and not isinstance(result, Response):
            return self._runner.run(_gather(result))
        return result

    def answer(self, response: Any) -> Answer | None:
        """Read a Starlette-compatible response to its end; None when it is none."""
        if not (isinstance(response, Response) or _is_asgi(response)):
            return None
        if isinstance(response, Response) and _is_plain(response):
            return _answer(response.status_code, response.raw_headers, bytes(response.body))
        return self._runner.run(_run_asgi(response))

    def fault(self, error: BaseException, code: str, default: Location, doing: str) -> Diagnostic:
        """Make a finding of an exception, placed at the innermost line inside the site."""
        place, outer = self._innermost(error)
        notes = (Note(f"raised in {outer}"),) if outer else ()
        return Diagnostic(
            code, f"{doing} failed: {_described(error)}", place or default, _advice(error), notes
        )

    def _innermost(self, error: BaseException) -> tuple[Location | None, str]:
        """The last frame in the site, and a name for the last frame of all where that is elsewhere."""
        if isinstance(error, SyntaxError) and error.filename and (file := self.relative(error.filename)):
            return Location(file, error.lineno, error.offset), ""
        frames = list(traceback.extract_tb(error.__traceback__))
        inside = [i for i, frame in enumerate(frames) if self.relative(frame.filename)]
        if not inside:
            return None, ""
        last = frames[inside[-1]]
        outer = frames[-1] if inside[-1] != len(frames) - 1 else None
        named = f"{Path(outer.filename).name}:{outer.lineno}, in {outer.name}" if outer else ""
        return Location(self.relative(last.filename), last.lineno), named

    def relative(self, filename: str) -> str:
        """The site's own name of a file; "" for a file outside it or in its virtual environment."""
        try:
            path = Path(filename).relative_to(self.root)
        except ValueError:
            return ""
        hidden = any(part.startswith(".") or part in {"site-packages", "node_modules"} for part in path.parts)
        return "" if hidden else path.as_posix()

    def place(self, frame: types.FrameType | None, default: Location) -> Location:
        """The nearest frame of the site at or above `frame`."""
        while frame is not None:
            if file := self.relative(frame.f_code.co_filename):
                return Location(file, frame.f_lineno)
            frame = frame.f_back
        return default


class Reading:
    """Collects attempts of a handler to read what a build has not got."""

    def __init__(self, code: SiteCode, default: Location, *, refuse: bool) -> None:
        self._code = code
        self._default = default
        self._refuse = refuse
        self.findings: list[Diagnostic] = []

    def __call__(self, what: str, frame: types.FrameType) -> None:
        self.findings.append(
            Diagnostic(
                "request-data-at-build",
                f"the request's {what} are read, and at build time they are empty"
                if what.endswith("s")
                else f"the request's {what} is read, and at build time it is empty",
                self._code.place(frame, self._default),
                "take what varies from the path with generate_static_params, or serve this from a backend",
                severity="error" if self._refuse else "warning",
            )
        )

    def request(self, context: Context) -> BuildRequest:
        return BuildRequest(context.url, context.params, self)


def _line_of(function: Any, file: Path) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return code.co_firstlineno if code and code.co_filename == str(file) else 1


def _arity(function: Callable[..., Any], most: int) -> int:
    """How many positional arguments a callable takes, up to `most`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return most
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return most
    return min(most, sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters))


async def _await(result: Awaitable[Any]) -> Any:
    found = await result
    return (
        await _gather(found)
        if isinstance(found, AsyncIterable) and not isinstance(found, Response)
        else found
    )


async def _gather(items: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in items]


def _is_asgi(response: Any) -> bool:
    """Whether a value is an ASGI application: a callable of (scope, receive, send)."""
    if isinstance(response, type) or not callable(response):
        return False
    try:
        parameters = list(inspect.signature(response).parameters)
    except (TypeError, ValueError):
        return False
    return len(parameters) == 3


def _is_plain(response: Response) -> bool:
    return "body" in vars(response) and response.background is None


async def _run_asgi(application: Any) -> Answer:
    status = 200
    headers: list[tuple[bytes, bytes]] = []
    body = bytearray()

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("a build never disconnects")

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1"}
    await application(
        {**scope, "method": "GET", "path": "/", "query_string": b"", "headers": []}, receive, send
    )
    return _answer(status, headers, bytes(body))


def _answer(status: int, raw: Iterable[tuple[bytes, bytes]], body: bytes) -> Answer:
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
    first = dict(reversed(pairs))
    kept = tuple(p for p in pairs if p[0] not in _SERVER_OWN | {"content-type", "location"})
    return Answer(status, body, first.get("content-type", ""), kept, first.get("location", ""))


def _described(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({'' if error.code is None else repr(error.code)})"
    if isinstance(error, NotFound):
        return "it called not_found()"
    if isinstance(error, Redirected):
        return f"it called redirect({error.url!r}) here"
    if isinstance(error, RecursionError):
        return "RecursionError: it calls itself too deep"
    text = str(error).encode("utf-8", "backslashreplace").decode()
    if isinstance(error, SyntaxError):
        text = error.msg
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _advice(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f'install the package that provides "{error.name}", or correct the import'
    if isinstance(error, SystemExit):
        return "raise an exception instead, or return a response"
    return "correct the code at this line"
