"""The files a module's results depend on, as its `inputs` name them.

Owns the globs: spellings that mean the same, what they match, and the findings on those that match nothing, for
results that never change are never made again. Reads names only. Source: docs/caching.md, "Python".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pybuild.cache.fingerprint import paths_of
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.module_facts import ModuleFacts, Setting
from pybuild.routing.tree import Route
from pybuild.site_files.selection import url_filter


def globs_of(setting: Setting) -> tuple[str, ...]:
    """The globs of a setting in one spelling: each is a file, or a folder and all below it.

    `./data//`, `data` and `data/` are `data/**`; what leads out of the site begins with `/`.
    """
    said = setting.value if isinstance(setting.value, list | tuple) else [setting.value]
    return tuple(sorted({_normalised(str(glob)) for glob in said}))


def _normalised(glob: str) -> str:
    parts = [part for part in glob.split("/") if part not in ("", ".")]
    if glob.startswith(("/", "~")) or ".." in parts:
        return f"/{glob}"
    return "/".join([*parts, *(["**"] if parts[-1:] != ["**"] else [])])


def matcher(globs: Iterable[str]) -> Callable[[str], bool]:
    """Tell whether the path of a file of the site matches one of `globs_of`."""
    return url_filter(globs)


def check_inputs(
    config: Config, routes: Iterable[Route], extensions: ModuleFacts | None = None
) -> tuple[Diagnostic, ...]:
    """Find `inputs` that match no file of the site, or lead out of it. Code: `invalid-setting`."""
    around = (
        module for route in routes for module in (route.module, *route.surroundings.layout_modules) if module
    )
    modules = {module.file: module for module in around}
    modules |= {extensions.file: extensions} if extensions else {}
    chosen = [modules[file] for file in sorted(modules) if "inputs" in modules[file].settings]
    if not chosen:
        return ()
    paths = list(paths_of(config))
    return tuple(finding for module in chosen for finding in _check(module, module.settings["inputs"], paths))


def _check(module: ModuleFacts, setting: Setting, paths: Sequence[str]) -> Iterator[Diagnostic]:
    for glob in setting.value if isinstance(setting.value, list | tuple) else ():
        normalised = _normalised(str(glob))
        if normalised.startswith("/"):
            message = f'inputs names "{glob}", which leads out of the site'
            hint = "name files of the site, or delete inputs: then the code always runs"
        elif any(map(url_filter([normalised]), paths)):
            continue
        else:
            message = f'inputs names "{glob}", which matches no file of the site'
            hint = _hint(normalised, paths)
        yield Diagnostic(
            "invalid-setting", message, Location(module.file, setting.line, setting.column), hint
        )


def _hint(glob: str, paths: Sequence[str]) -> str:
    if "{" in glob:
        return "braces mean nothing here: write one glob for each"
    alike = url_filter([glob.casefold()])
    if near := next((path for path in paths if alike(path.casefold())), ""):
        return f'letter case counts: there is "{near}"'
    below = url_filter([f"**/{glob}"])
    if near := next((path for path in paths if below(f"/{path}")), ""):
        return f'globs begin at the folder of the site: there is "{near}"'
    return "correct it, or write inputs = [] where the code reads no file"
