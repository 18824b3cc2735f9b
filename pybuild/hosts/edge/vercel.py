"""Vercel, by its Build Output API.

Owns `config.json` and the routing middleware, which runs before the files: rewrites of `vercel.json` come
after them and would never see a page. The middleware cannot look for a file, so it is given
what each URL stands for, and proxies may not share addresses with files. Writes no file.
Sources: vercel.com/docs/build-output-api/v3 (configuration, primitives), /docs/functions/limitations.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.hosts.base import (
    ALL_FEATURES,
    SITE,
    Compiled,
    Target,
    check_limits,
    drop_unsupported,
    readme,
    secrets,
    unsupported,
)
from pybuild.hosts.edge.rules import Json, StaticFolder, folders_without_rules, script, url_shapes
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import NOT_FOUND
from pybuild.rules.media_types import same_type, type_of
from pybuild.rules.model import Proxy, Rule, RuleSet
from pybuild.rules.patterns import print_regex, sent_literal
from pybuild.urls import encode

LIMITS = {"script_bytes": 4 * 1024**2, "routes": 2048}
SOURCE = 4096  # characters in the src of a route
_FUNCTION = "functions/_middleware.func"


def compile_vercel(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write the middleware and its routes.

    Findings: `rule-limit`; `unsupported-rule` for a proxy below which there are files.
    """
    kept, refused = drop_unsupported(rules, _fault(files))
    folders = _named(folders_without_rules(kept, files, misses=False))
    program = script(kept, files, "proxied.js", "forward.js", "vercel.js")
    routes: list[Json] = [{"src": _beside(folders), "middlewarePath": "_middleware", "continue": True}]
    for one in folders:
        if one.headers:
            source = f"^/{re.escape(one.folder)}/.*$"
            routes.append({"src": source, "headers": dict(one.headers), "continue": True})
    routes += [{"handle": "filesystem"}, {"handle": "error"}]
    if NOT_FOUND in files:
        routes.append({"src": "^/.*$", "status": 404, "dest": f"/{NOT_FOUND}"})
    settings: Json = {"version": 3, "routes": routes, "overrides": _overrides(kept, files)}
    function: Json = {
        "runtime": "edge",
        "entrypoint": "index.js",
        "envVarsInUse": [*kept.env_names],
    }
    deploy = (
        _json("config.json", settings),
        _json(f"{_FUNCTION}/.vc-config.json", function),
        Artifact(f"{_FUNCTION}/index.js", "[vercel]", program.encode()),
        readme("vercel", _STEPS, secrets(kept, "npx vercel env add {name} production"), where=SITE),
    )
    counts = {"script_bytes": len(zlib.compress(program.encode())), "routes": len(routes)}
    return Compiled((), deploy, (*refused, *check_limits("Vercel", LIMITS, counts, files)))


_STEPS = (
    "pybuild export --target vercel --out .vercel/output/static --deploy-dir .vercel/output",
    "npx vercel deploy --prebuilt --prod",
)


def _json(path: str, value: Json) -> Artifact:
    return Artifact(path, "[vercel]", (json.dumps(value, indent=2) + "\n").encode())


def _fault(files: Files) -> Callable[[Rule], Diagnostic | None]:
    """Find proxies whose addresses files answer too: the middleware could not tell which are there."""
    urls = [encode(url) or "/" for url in url_shapes(files, twins=False)]

    def fault(rule: Rule) -> Diagnostic | None:
        if not isinstance(rule, Proxy):
            return None
        regex = re.compile(print_regex(rule.source, literal=sent_literal) + "/?", re.ASCII | re.DOTALL)
        taken = next((url for url in urls if regex.fullmatch(url)), None)
        if taken is None:
            return None
        reason = f"files answer there too, such as {taken}, and its middleware cannot look for them"
        return unsupported(
            "Vercel", rule, reason, "give the proxy a path of its own, such as /backend/:path*"
        )

    return fault


def _named(folders: Iterable[StaticFolder]) -> tuple[StaticFolder, ...]:
    """As many folders as fit into one route. A "$" in the header of a route would be a reference."""
    kept: list[StaticFolder] = []
    for one in folders:
        odd = any(name == "Content-Type" or "$" in value for name, value in one.headers)
        if not odd and len(_beside([*kept, one])) <= SOURCE:
            kept.append(one)
    return tuple(kept)


def _beside(folders: Iterable[StaticFolder]) -> str:
    """A regex of all paths outside of the folders."""
    names = "|".join(re.escape(one.folder) for one in folders)
    return f"^/(?!(?:{names})/).*$" if names else "^/.*$"


def _overrides(rules: RuleSet, files: Files) -> dict[str, Json]:
    """The types of files whose suffix does not say them."""
    found: dict[str, Json] = {}
    for path in sorted(files):
        said = next(
            (rule.media_type for rule in rules.types if rule.source.match("/" + path) is not None), ""
        )
        if said and not same_type(said, type_of(path)):
            found[path] = {"contentType": said}
    return found


TARGET = Target("vercel", "Vercel", ALL_FEATURES, compile_vercel, LIMITS)
