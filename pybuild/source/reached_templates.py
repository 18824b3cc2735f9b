"""The templates that a template names, read without rendering any.

Owns the walk through `extends`, `include` and `import`, and what they name that is nowhere. Renders nothing.
Source: Jinja2 3.1, "Template Designer Documentation", and `jinja2.nodes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from jinja2 import nodes

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import shipped_templates
from pybuild.source.template_files import EXTENSIONS

_References = nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport
_MAYBE = (nodes.If, nodes.For, nodes.Macro, nodes.CallBlock)  # what is inside may never run


@dataclass(slots=True)
class Reached:
    """A template and all those that it extends, includes and imports."""

    sources: dict[str, str] = field(default_factory=dict)  # by name
    trees: dict[str, nodes.Template] = field(default_factory=dict)  # by name
    missing: list[tuple[str, int, str, bool]] = field(
        default_factory=list
    )  # name, line, the name that is nowhere, and whether every rendering needs it
    is_open: bool = False  # it names a template that only rendering knows, or one that cannot be read


def reached(root: Path, template: str) -> Reached:
    """Read a template of the site and all that it names."""
    environment = jinja2.Environment(extensions=EXTENSIONS)
    found, waiting, seen = Reached(), [template], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            source = file_of(root, name).read_bytes().decode("utf-8-sig")
            tree = environment.parse(source)
        except (OSError, UnicodeDecodeError, jinja2.TemplateError, RecursionError):
            found.is_open = True
            continue
        found.sources[name] = source
        found.trees[name] = tree
        for reference, is_sure in _references(tree):
            names = _named(reference.template)
            known = [one for one in names if file_of(root, one).is_file()]
            waiting += known
            found.is_open = found.is_open or not known
            may_lack = isinstance(reference, nodes.Include) and reference.ignore_missing
            if names and not known and not may_lack:
                found.missing.append((name, reference.lineno, names[0], is_sure))
    return found


def site_file(name: str) -> str:
    """The file of a template of the site, relative to it."""
    return name if name.startswith("app/") else f"templates/{name}"


def missing_templates(reads: Reached) -> Iterator[Diagnostic]:
    """Find names of templates that are nowhere; a warning where not every rendering gets there. Code: `template-error`."""
    for name, line, lacking, is_sure in reads.missing:
        file = site_file(name)
        message = f'{file} names the template "{lacking}", which is nowhere'
        hint = f"make the file templates/{lacking}, or correct the name"
        at = Location(file, line)
        yield (
            Diagnostic("template-error", message, at, hint)
            if is_sure
            else warning("template-error", message, at, hint)
        )


def sure_html(tree: nodes.Template) -> str:
    """The HTML that every rendering of a template writes, `{}` standing for what is computed."""
    return "".join(_written(tree))


def _written(node: nodes.Node) -> Iterator[str]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.TemplateData):
            yield child.data
        elif isinstance(child, nodes.Expr):
            yield "{}"
        elif not isinstance(child, (*_MAYBE, nodes.Block)):
            yield from _written(child)


def file_of(root: Path, name: str) -> Path:
    """The file of a template name, as `render.templates` finds it."""
    if name.startswith("app/"):
        return root / name
    own = root / "templates" / name
    return own if own.is_file() else shipped_templates() / name


def _references(node: nodes.Node, *, is_sure: bool = True) -> Iterator[tuple[_References, bool]]:
    for child in node.iter_child_nodes():
        if isinstance(child, _References):
            yield child, is_sure
        yield from _references(child, is_sure=is_sure and not isinstance(child, _MAYBE))


def _named(template: nodes.Node) -> list[str]:
    """The names an `include` may load; none where only rendering knows."""
    if isinstance(template, nodes.Const):
        return [template.value] if isinstance(template.value, str) else list(template.value)
    if isinstance(template, nodes.List | nodes.Tuple):
        return [item.value for item in template.items if isinstance(item, nodes.Const)]
    return []
