"""Site code: importing it, calling it, and saying where it went wrong.

The only module that imports or calls what a site author wrote. Knows no output path and no template.
Sources: importlib, "Importing a source file directly"; the ASGI specification 3.0 for responses.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from starlette.responses import Response

from pybuild.config.schema import Site
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.engines.base import Expired
from pybuild.fetching import FetchFailed, calls_of_all_jobs
from pybuild.render.advice import advice_on
from pybuild.render.responses import Answer, is_application, is_response, plain_answer, run_application
from pybuild.routing.checks import METHODS, non_get_handler
from pybuild.web import NotFound, Redirected, Request

_PACKAGE = "_pybuild_site"
_OWN_CODE = Path(__file__).parent.parent


class Params(dict[str, Any]):
    """The params of a page: name to str, or to a list of str for a catch-all. `await` gives them too, as in Next.js."""

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        return self
        yield  # makes it a generator


@dataclass(frozen=True, slots=True)
class Context:
    """What `GET`, `load` and `generate_metadata` are given as `ctx`."""

    params: Mapping[str, Any]  # name to str, or to a list of str for a catch-all
    path: str  # decoded URL: "/docs/a"
    url: str  # absolute and encoded: "https://a.example/docs/a"
    site: Site


class Stop(Exception):
    """Ends the work on one page; carries the findings that say why.

    `keeps` is whether the page of the last export may stand for it.
    """

    def __init__(self, *findings: Diagnostic, keeps: bool = False) -> None:
        super().__init__(*findings)
        self.findings = findings
        self.keeps = keeps


class SiteCode:
    """The site's modules, imported once a process.

    The site root is put on `sys.path`; nothing is written beside the sources. What an earlier phase of the
    same process imported is forgotten, so that every engine begins each phase alike.
    """

    def __init__(self, root: Path, site: Site | None = None) -> None:
        """`site` is what the settings say of it."""
        self.root = root
        self._site = site
        self._modules: dict[str, types.ModuleType] = {}
        self._faults: dict[str, Stop] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self._unseen: list[BaseException] = []  # what callbacks of the loop failed with
        sys.dont_write_bytecode = True
        for name in [name for name, module in sys.modules.items() if self._is_own(name, module)]:
            del sys.modules[name]
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))

    def _is_own(self, name: str, module: types.ModuleType) -> bool:
        """Whether a loaded module is the site's; pybuild itself may lie inside one."""
        if name.partition(".")[0] in (_PACKAGE, "pybuild", "__main__"):
            return name.startswith(_PACKAGE)
        return bool(self.relative(getattr(module, "__file__", None) or ""))

    @cached_property
    def _runner(self) -> asyncio.Runner:
        runner = asyncio.Runner()
        runner.get_loop().set_task_factory(self._new_task)
        runner.get_loop().set_exception_handler(self._note_failure)
        return runner

    def _new_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
        self._tasks.append(task)
        return task

    def _note_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note what a callback or a future failed with that nobody looks at; tasks are looked at by themselves."""
        error = context.get("exception")
        if isinstance(error, BaseException) and not isinstance(context.get("future"), asyncio.Task):
            self._unseen.append(error)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine and, for a moment, the tasks it leaves behind. Raises what one of them failed with."""
        self._tasks.clear()
        self._unseen.clear()
        try:
            found = self._runner.run(_with_tasks(coroutine))
        except Expired:
            self._cancel_tasks()
            raise
        if self._unseen:
            raise self._unseen[0]
        for task in self._tasks:
            if task.done() and not task.cancelled() and getattr(task, "_log_traceback", False):
                raise task.exception() or AssertionError("a task without an exception has none to log")
        return found

    def _cancel_tasks(self) -> None:
        """End what a deadline cut off, and the threads that work for it, as far as they let themselves be ended."""
        loop = self._runner.get_loop()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=1))

    def load(self, file: str) -> types.ModuleType:
        """Import a file of the site once. Raises `Stop` with `import-error`, the same one each time."""
        if file in self._faults:
            raise self._faults[file]
        if file not in self._modules:
            try:
                with self.guard("import-error", Location(file, 1), f"importing {file}"), calls_of_all_jobs():
                    self._modules[file] = self._import(file)
            except Stop as stop:
                self._faults[file] = stop
                raise
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
            non_get_handler(method, Location(file, _line_of(getattr(module, method), self.root / file)))
            for method in late
        ]

    @contextmanager
    def guard(self, code: str, at: Location, doing: str) -> Iterator[None]:
        """Turn whatever site code raises, in a thread it starts too, into `Stop`, with a finding for each of a group."""
        with _thread_failures() as failures, self._unraised() as unraised:
            try:
                yield
            except (Stop, Expired, KeyboardInterrupt, GeneratorExit):
                raise
            except BaseExceptionGroup as group:
                near = self.raised_at(group, at)
                raise Stop(*(self.fault(error, code, near, doing) for error in _alone(group))) from None
            except BaseException as error:
                raise Stop(self.fault(error, code, at, doing), keeps=keeps_page(error)) from None
        if failures or unraised:
            threads = (self.fault(error, code, at, f"a thread of {doing}") for error in failures)
            raise Stop(*threads, *(self.fault(error, code, near or at, doing) for error, near in unraised))

    @contextmanager
    def _unraised(self) -> Iterator[list[tuple[BaseException, Location | None]]]:
        """Collect what code of the site fails with where Python only prints it: in `__del__`, or by a forgotten `await`."""
        found: list[tuple[BaseException, Location | None]] = []
        usual = sys.unraisablehook

        def collect(failed: Any) -> None:
            usual(failed)
            error = failed.exc_value
            if error is not None and (place := self._innermost(error)[0]):
                found.append((error, place))

        def warn(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            shown(message, category, filename, lineno, file, line)
            if isinstance(message, RuntimeWarning) and str(message).endswith("was never awaited"):
                name = self.relative(filename)
                found.append((message, Location(name, lineno) if name else None))

        with warnings.catch_warnings():
            shown, warnings.showwarning = warnings.showwarning, warn
            sys.unraisablehook = collect
            try:
                yield found
            finally:
                sys.unraisablehook = usual

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call with as many of the arguments as the function takes, and wait for the result if it must be."""
        result = function(*arguments[: _arity(function, len(arguments))])
        return self.awaited(result)

    def respond(self, handler: Callable[..., Any], request: Request, context: Context) -> Any:
        """Call a handler for its response; one that is an ASGI application is sent the request itself."""
        if is_application(handler):
            return self._run(run_application(handler, request.scope))
        return self.call(handler, request, context)

    def awaited(self, result: Any) -> Any:
        """Await an awaitable and gather an async iterator; anything else is returned as it is."""
        if inspect.isawaitable(result):
            return self._run(_await(result))
        if isinstance(result, AsyncIterable) and not isinstance(result, Response):
            return self._run(_gather(result))
        return result

    def answer(self, response: Any) -> Answer | None:
        """Read a Starlette-compatible response to its end; None when it is none."""
        if isinstance(response, Answer):
            return response
        if not is_response(response):
            return None
        return plain_answer(response) or self._run(run_application(response))

    def fault(self, error: BaseException, code: str, default: Location, doing: str) -> Diagnostic:
        """Make a finding of an exception, placed at the innermost line inside the site."""
        place, outer = self._innermost(error)
        if isinstance(error, FetchFailed):
            return Diagnostic("fetch-error", f"{doing} failed: {error}", place or default, error.hint)
        notes = (Note(f"raised in {outer}"),) if outer else ()
        return Diagnostic(
            code,
            f"{doing} failed: {_described(error)}",
            place or default,
            advice_on(error, self._site),
            notes,
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
        if outer and Path(outer.filename).is_relative_to(_OWN_CODE):
            return Location(self.relative(last.filename), last.lineno), ""
        named = f"{Path(outer.filename).name}:{outer.lineno}, in {outer.name}" if outer else ""
        return Location(self.relative(last.filename), last.lineno), named

    def raised_at(self, error: BaseException, default: Location) -> Location:
        """The innermost line inside the site that an exception came through."""
        return self._innermost(error)[0] or default

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


_MOMENT = 1.0  # seconds that threads and tasks are waited for behind a result


@contextmanager
def _thread_failures() -> Iterator[list[BaseException]]:
    """Collect what threads fail with that are started inside; they are waited for a moment, workers of pools are not."""
    failures: list[BaseException] = []
    before, usual = set(threading.enumerate()), threading.excepthook

    def collect(failed: threading.ExceptHookArgs) -> None:
        usual(failed)
        if failed.exc_value is not None and failed.exc_type is not SystemExit:
            failures.append(failed.exc_value)

    threading.excepthook = collect
    try:
        yield failures
        until = time.monotonic() + _MOMENT
        for thread in set(threading.enumerate()) - before:
            if not thread.daemon and "ThreadPoolExecutor" not in thread.name:
                thread.join(max(0.0, until - time.monotonic()))
    finally:
        threading.excepthook = usual


async def _with_tasks(coroutine: Coroutine[Any, Any, Any]) -> Any:
    found = await coroutine
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=_MOMENT)
    until = time.monotonic() + _MOMENT
    while (working := _in_executor()) and time.monotonic() < until:
        await asyncio.sleep(0.01)
    for _ in range(2 + bool(working)):  # callbacks that are due
        await asyncio.sleep(0)
    return found


def _in_executor() -> bool:
    """Whether the loop's executor has work left."""
    executor: Any = getattr(asyncio.get_running_loop(), "_default_executor", None)
    if executor is None:
        return False
    idle = getattr(getattr(executor, "_idle_semaphore", None), "_value", 0)
    return not executor._work_queue.empty() or idle < len(executor._threads)


def _alone(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    """The exceptions of a group, and of the groups in it."""
    for error in group.exceptions:
        yield from _alone(error) if isinstance(error, BaseExceptionGroup) else (error,)


def keeps_page(error: BaseException) -> bool:
    """Whether a failure is that of a source for which the page of the last export may be kept."""
    return isinstance(error, FetchFailed) and error.keeps


def kind_of(value: object) -> str:
    """Name the type of a value for a message: `a dict`, `an int`, `None`."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


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


def _described(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({'' if error.code is None else repr(error.code)})"
    if isinstance(error, NotFound):
        return "it called not_found()"
    if isinstance(error, Redirected):
        return f"it called redirect({error.url!r}) here"
    if isinstance(error, RecursionError):
        return "RecursionError: it calls itself too deep"
    try:
        text = str(error).encode("utf-8", "backslashreplace").decode()
    except Exception:  # an exception of the site may fail to say what it is
        text = ""
    if isinstance(error, SyntaxError):
        text = error.msg
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
