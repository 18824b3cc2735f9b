"""Layouts before anything is rendered: whether a page can get through one.

Owns the findings for a layout that leaves out `children` or `head`, read from its syntax tree and from those of the
templates it names. Renders nothing; what only rendering tells (a branch that is not taken) `render.page` sees.
Source: docs/pages.md, "Layouts".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2 import nodes

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import shipped_templates
from pybuild.source.template_files import EXTENSIONS

_HEAD = re.compile(r"<head\b", re.I)
_Reference = nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport
LEFT_OUT = "write {{ children }} where the page belongs"


@dataclass(frozen=True, slots=True)
class Uses:
    """What a layout does with the page it is given, together with the templates it names."""

    shows: bool = False  # `children` is used for more than a condition
    changes: bool = False  # ... and otherwise than written as it is
    head: bool = False  # `head` is used
    writes_head: bool = False  # it has a <head> of its own
    is_open: bool = False  # it names a template that only rendering knows, or one that is not there


def check_layouts(root: Path, layouts: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Find layouts, named relative to the site, that lose pages or their metadata. Code: `template-error`.

    One that cannot be parsed has a finding already.
    """
    findings = []
    for layout in layouts:
        uses = read_uses(root, layout)
        if not (uses.shows or uses.is_open):
            message = (
                f"{layout} leaves out {{{{ children }}}}, so every page inside it would be published empty"
            )
            findings.append(Diagnostic("template-error", message, Location(layout, 1), LEFT_OUT))
        if uses.writes_head and not (uses.head or uses.is_open):
            lost = "title, description, canonical address, social images, icons and feeds"
            message = f"{layout} leaves out {{{{ head }}}}, so its pages have no {lost}"
            findings.append(
                warning("template-error", message, Location(layout, 1), "write {{ head }} inside <head>")
            )
    return tuple(findings)


def read_uses(root: Path, layout: str) -> Uses:
    """Read a layout and all that it extends, includes and imports."""
    environment = jinja2.Environment(extensions=EXTENSIONS)
    found: dict[str, None] = {}
    waiting, trees, is_open = [layout], [], False
    writes_head = False
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        try:
            source = _file(root, name).read_bytes().decode("utf-8-sig")
            tree = environment.parse(source)
        except (OSError, UnicodeDecodeError, jinja2.TemplateError, RecursionError):
            is_open = True
            continue
        trees.append(tree)
        writes_head = writes_head or bool(_HEAD.search(source))
        for reference in (node for node in tree.find_all(nodes.Stmt) if isinstance(node, _Reference)):
            names = _named(reference.template)
            waiting += names
            is_open = is_open or not names
    shown = [plain for tree in trees for name, plain in _outputs(tree) if name == "children"]
    every = {name.name for tree in trees for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    return Uses(bool(shown), not all(shown), "head" in every, writes_head, is_open)


def _file(root: Path, name: str) -> Path:
    """The file of a template name, as `render.templates` finds it."""
    if name.startswith("app/"):
        return root / name
    own = root / "templates" / name
    return own if own.is_file() else shipped_templates() / name


def _named(template: nodes.Node) -> list[str]:
    """The names an `include` may load; none where only rendering knows."""
    if isinstance(template, nodes.Const):
        return [template.value] if isinstance(template.value, str) else list(template.value)
    if isinstance(template, nodes.List | nodes.Tuple):
        return [item.value for item in template.items if isinstance(item, nodes.Const)]
    return []


def _outputs(node: nodes.Node, *, is_written: bool = False) -> Iterator[tuple[str, bool]]:
    """Names that are used for more than a condition, and whether each is written as it is."""
    if isinstance(node, nodes.Name):
        if node.ctx == "load":
            yield node.name, is_written
        return
    is_plain = isinstance(node, nodes.Output) or (
        is_written and isinstance(node, nodes.Filter) and node.name == "safe"
    )
    for field, child in node.iter_fields():
        if field == "test" and isinstance(node, nodes.If | nodes.CondExpr):
            continue
        if isinstance(node, nodes.Compare | nodes.Not | nodes.Test):
            continue
        for one in child if isinstance(child, list) else [child]:
            if isinstance(one, nodes.Node):
                yield from _outputs(
                    one, is_written=is_plain or (is_written and isinstance(node, nodes.CondExpr))
                )
