"""Templates before anything is rendered: whether a page, and the text of its document, can get through them.

Owns the findings for a layout that leaves out `children` or `head`, and for templates that show nothing of a document,
read from their syntax trees and from those of the templates they name. Renders nothing; what only rendering tells (a
branch that is not taken) `render.page` sees.
Source: docs/pages.md, "Layouts".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import nodes

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import read
from pybuild.routing.tree import Route
from pybuild.source.front_matter import parse
from pybuild.source.reached_templates import reached

_WHOLE = re.compile(r"<(?:head|html|!doctype)\b", re.I)  # the tags of <html> and <head> may be left out
LEFT_OUT = "write {{ children }} where the page belongs"
_TEXT = frozenset(
    {"body", "entry", "excerpt", "html", "markdown"}
)  # of a document, made of what is written in it


@dataclass(frozen=True, slots=True)
class Uses:
    """What a layout does with the page it is given, together with the templates it names."""

    shows: bool = False  # `children` is used for more than a condition
    changes: bool = False  # ... and otherwise than written as it is
    head: bool = False  # `head` is used
    is_whole: bool = False  # it writes a whole document
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
        if uses.is_whole and not (uses.head or uses.is_open):
            lost = "title, description, canonical address, social images, icons and feeds"
            message = f"{layout} leaves out {{{{ head }}}}, so its pages have no {lost}"
            findings.append(
                warning("template-error", message, Location(layout, 1), "write {{ head }} inside <head>")
            )
    return tuple(findings)


def read_uses(root: Path, layout: str) -> Uses:
    """Read a layout and all that it extends, includes and imports."""
    reads = reached(root, layout)
    is_whole = any(_WHOLE.search(source) for source in reads.sources.values())
    shown = [plain for tree in reads.trees.values() for name, plain in _outputs(tree) if name == "children"]
    every = {
        name.name for tree in reads.trees.values() for name in tree.find_all(nodes.Name) if name.ctx == "load"
    }
    return Uses(bool(shown), not all(shown), "head" in every, is_whole, reads.is_open)


def hidden_texts(root: Path, shown: Iterable[tuple[Route, str, Iterable[str]]]) -> Iterator[Diagnostic]:
    """Warn of templates that show nothing of documents which have a text. Code: `template-error`.

    `shown` are routes, each with the name of its collection and the files of its documents.
    """
    for route, name, files in shown:
        loads = route.module is not None and "load" in route.module.names
        reads = [
            reached(root, template) for template in (route.template, *route.surroundings.layouts) if template
        ]
        may_show = any(one.is_open or any(map(_may_show_text, one.trees.values())) for one in reads)
        if not route.template or loads or may_show:
            continue
        if any(parse(read(f"{root}/{file}"), file).body.strip() for file in files):
            message = (
                f"{route.template} shows nothing of the text of a document, so the pages of {name} lose it"
            )
            hint = "write {{ document.html }} where the text belongs"
            yield warning("template-error", message, Location(route.template, 1), hint)


def _may_show_text(tree: nodes.Template) -> bool:
    """Whether a template names what is made of a text, or hands a document on as a whole."""
    if any(node.attr in _TEXT for node in tree.find_all(nodes.Getattr)):
        return True
    if any(node.value in _TEXT for node in tree.find_all(nodes.Const) if isinstance(node.value, str)):
        return True
    asked: list[tuple[str, type[nodes.Node]]] = [
        ("node", kind) for kind in (nodes.Getattr, nodes.Test, nodes.Not)
    ]
    asked += [("test", kind) for kind in (nodes.If, nodes.CondExpr)]
    seen = {id(getattr(node, field)) for field, kind in asked for node in tree.find_all(kind)}
    names = (node for node in tree.find_all(nodes.Name) if node.name in ("document", "page"))
    return any(id(name) not in seen for name in names)


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
