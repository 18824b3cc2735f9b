"""What a template can reach: the templates it names, and whether it looks at other documents.

Owns the judgement on templates without rendering them. In doubt a template reaches everything. Knows no page.
Source: Jinja2 3.1, `jinja2.nodes` and "Template Designer Documentation".
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes

from pybuild.cache.fingerprint import digest
from pybuild.files import shipped_templates
from pybuild.render.templates import site_loader
from pybuild.render.user_code import Stop
from pybuild.source.template_files import EXTENSIONS

_BODY = frozenset(
    {"body", "entry", "excerpt", "html", "markdown", "reading_time", "toc"}
)  # of a document, made of its text
_OWN = frozenset({"document", "page"})
_RESERVED = frozenset(
    (
        "asset",
        "collection",
        "collections",
        "data",
        "has_page",
        "home",
        "languages",
        "navigation",
        "outputs",
        "sections",
        "theme",
        "url_for",
    )
)
_AROUND = frozenset(
    ("around", "authors", "breadcrumb", "next", "parents", "prev", "related", "terms")
)  # of a page
_FORMATS = frozenset({"format", "format_map"})  # text that names attributes
_OF_ITEMS = frozenset(
    ("attr", "groupby", "join", "map", "max", "min", "reject", "rejectattr")
    + ("select", "selectattr", "sort", "sum", "unique")
)
_OF_LISTS = frozenset({"default/list-item.html", "default/list-items.html", "default/list.html"})
_OUTPUTS = ("/rss.xml", "/sitemap.xml", "/llms.txt")  # what `outputs` holds
_MISSING = "\0"  # as no source reads; an empty template is another thing than none
_PARSER = jinja2.Environment(extensions=EXTENSIONS)
_References = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a set of templates depends on."""

    digest: str  # of the templates
    index: bool = False  # looks at collections
    whole: bool = False  # looks at other documents' text, or at what cannot be known
    pages: bool = False  # asks for URLs that only rendering knows
    asked: tuple[str, ...] = ()  # URLs it asks for, sorted
    around: bool = False  # shows the tree, or what is before and after
    walks: bool = False  # a template of the site does
    data: bool = False  # reads data files
    copied: tuple[str, ...] = ()  # public files whose copies it names, sorted


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one template does."""

    names: tuple[str, ...] = ()  # of templates
    is_dynamic: bool = False  # names templates that only rendering knows
    index: bool = False
    bodies: bool = False  # reads what documents are made of, besides those of its own page
    reads_own_body: bool = False  # reads that of its own page
    shadows_builtins: bool = False  # gives another meaning to the names of its own page
    unanalyzable: bool = False
    pages: bool = False
    asked: frozenset[str] = frozenset()
    around: bool = False
    data: bool = False
    copied: frozenset[str] = frozenset()


_FIELDS = attrgetter(*_Facts.__match_args__)
_NO_FACTS = _FIELDS(_Facts())


class TemplateDependencies:
    """The reach of templates, found once for each set of them."""

    def __init__(self, root: Path, known: Any = None) -> None:
        """`known` are `findings` of the same program."""
        self._environment = jinja2.Environment(loader=site_loader(root), extensions=EXTENSIONS)
        self._known: Mapping[str, Any] = known if isinstance(known, dict) else {}
        # What each template does, by the digest of its text, as JSON.
        self.findings: dict[str, list[Any]] = {}
        self._facts: dict[str, tuple[str, _Facts]] = {}
        self._files: dict[str, str | None] = {}  # of templates that could be read
        self._reach: dict[tuple[str, ...], Dependencies] = {}

    def reach(self, roots: tuple[str, ...]) -> Dependencies:
        """Everything that rendering these templates can depend on."""
        if roots not in self._reach:
            names = self._closed(roots)
            every = [self._of(name)[1] for name in names]
            index = any(facts.index for facts in every)
            of_site = [self._of(name)[1] for name in self._closed(filter(self._is_of_site, names))]
            bodies = any(facts.bodies for facts in of_site) or any(map(self._shows_another, roots))
            walks = any(facts.around for facts in of_site)
            shows_others = index or walks
            self._reach[roots] = Dependencies(
                digest=digest(*(f"{name}\0{self._of(name)[0]}" for name in names)),
                index=index,
                whole=any(facts.unanalyzable for facts in every) or (shows_others and bodies),
                pages=any(facts.pages for facts in every),
                asked=tuple(sorted({*_OUTPUTS, *(url for facts in every for url in facts.asked)})),
                around=any(facts.around for facts in every),
                walks=walks,
                data=any(facts.data for facts in every),
                copied=tuple(sorted({path for facts in every for path in facts.copied})),
            )
        return self._reach[roots]

    def _shows_another(self, root: str) -> bool:
        """Whether what a template reads of its own page may be that of another: a loop over documents has its name.

        Each root is rendered with names of its own; what it includes and extends has them too.
        """
        every = [self._of(name)[1] for name in self._closed([root])]
        return any(facts.shadows_builtins for facts in every) and any(facts.reads_own_body for facts in every)

    def _closed(self, roots: Iterable[str]) -> list[str]:
        found: dict[str, None] = {}
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found[name] = None
            facts = self._of(name)[1]
            waiting += facts.names
            if facts.is_dynamic:
                waiting += self._environment.list_templates()
        return sorted(found)

    def _is_of_site(self, name: str) -> bool:
        """Whether a template may show texts that the part for navigation does not tell: none of ours does.

        Nor does one that is the item of a list and shows nothing else: lists are compared with their texts.
        """
        facts = self._of(name)[1]
        if name in _OF_LISTS and not (facts.index or facts.around):
            return False
        file = self._files.get(name)
        return file is None or not Path(file).is_relative_to(shipped_templates())

    def _of(self, name: str) -> tuple[str, _Facts]:
        if name not in self._facts:
            self._facts[name] = self._read(name)
        return self._facts[name]

    def _read(self, name: str) -> tuple[str, _Facts]:
        """The source and the facts; a template that is not there may come, one that is wrong is in doubt."""
        assert self._environment.loader is not None, "an environment of a site has a loader"
        try:
            source, self._files[name], _ = self._environment.loader.get_source(self._environment, name)
            return source, self._found_in(source)
        except jinja2.TemplateNotFound:
            return _MISSING, _Facts()
        except UnicodeDecodeError:  # a file of ours that is no template, such as a font
            return "", _Facts()
        except (Stop, jinja2.TemplateError, RecursionError):
            return "", _Facts(unanalyzable=True)

    def _found_in(self, source: str) -> _Facts:
        """What a text does, which is looked up or found by parsing it."""
        name = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
        try:
            pairs = list(zip(_NO_FACTS, self._known[name], strict=True))
            if any(isinstance(none, bool) != isinstance(value, bool) for none, value in pairs):
                raise ValueError("these are no facts")
            facts = _Facts(*(type(none)(value) for none, value in pairs))
        except (LookupError, TypeError, ValueError):
            facts = _facts(source)
        self.findings[name] = [sorted(v) if isinstance(v, frozenset) else v for v in _FIELDS(facts)]
        return facts


@functools.lru_cache(maxsize=256)  # exports in one process read our own templates again and again
def _facts(source: str) -> _Facts:
    every = list(_PARSER.parse(source).find_all(nodes.Node))
    names = [node for node in every if isinstance(node, nodes.Name)]
    given = {name.name for name in names if name.ctx != "load"} | set(_imported(every))
    loaded = [name.name for name in names if name.ctx == "load"]
    calls = [node for node in every if isinstance(node, nodes.Call) and _asks(node)]
    references = [_named(node.template) for node in every if isinstance(node, _References)]
    reads = [(attribute, base) for node in every for attribute, base in _attributes(node)]
    copies = [node for node in every if isinstance(node, nodes.Call) and _copies(node)]
    return _Facts(
        names=tuple(name for found in references for name in found or ()),
        is_dynamic=None in references,
        index="collection" in loaded or "collections" in loaded,
        bodies=any(attribute in _BODY and not _is_own(base) for attribute, base in reads),
        reads_own_body=any(attribute in _BODY and _is_own(base) for attribute, base in reads),
        shadows_builtins=bool(given & _OWN),
        unanalyzable=bool(given & _RESERVED)
        or any(a.startswith("_") or a in _FORMATS for a, _ in reads)
        or loaded.count("asset") > len(copies),
        pages=sum(name in ("url_for", "has_page") for name in loaded) > len(calls),
        asked=frozenset(arg.value for call in calls for arg in call.args if isinstance(arg, nodes.Const))
        | ({"/"} if "home" in loaded else set()),
        around=not {"navigation", "newest", "nodes", "sections", "theme"}.isdisjoint(loaded)
        or any(a in _AROUND for a, _ in reads),
        data="data" in loaded,
        copied=frozenset(call.args[0].value for call in copies if isinstance(call.args[0], nodes.Const)),
    )


def _imported(every: Iterable[nodes.Node]) -> Iterator[str]:
    """The names that imports and macros give."""
    for node in every:
        if isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
        elif isinstance(node, nodes.Macro):
            yield node.name


def _copies(call: nodes.Call) -> bool:
    """Whether it is `asset` with a path written there."""
    if not (isinstance(call.node, nodes.Name) and call.node.name == "asset"):
        return False
    given = call.args[0] if len(call.args) == 1 and not call.kwargs else None
    return isinstance(given, nodes.Const) and isinstance(given.value, str)


def _asks(call: nodes.Call) -> bool:
    """Whether it is `url_for` or `has_page` with an address written there, or with one of `outputs`."""
    if not (isinstance(call.node, nodes.Name) and call.node.name in ("url_for", "has_page")):
        return False
    if len(call.args) != 1 or call.kwargs or call.dyn_args or call.dyn_kwargs:
        return False
    given = call.args[0]
    if isinstance(given, nodes.Getattr):
        return isinstance(given.node, nodes.Name) and given.node.name == "outputs"
    return isinstance(given, nodes.Const) and isinstance(given.value, str)


def _named(template: nodes.Expr) -> tuple[str, ...] | None:
    """The templates a tag names; None where only rendering knows."""
    parts = template.items if isinstance(template, nodes.List | nodes.Tuple) else [template]
    values = [part.value if isinstance(part, nodes.Const) else None for part in parts]
    flat = [name for value in values for name in (value if isinstance(value, list | tuple) else [value])]
    names = tuple(name for name in flat if isinstance(name, str))
    return names if len(names) == len(flat) else None


def _attributes(node: nodes.Node) -> Iterator[tuple[str, nodes.Node | None]]:
    """The attributes a node reads, each with what it reads them of; `body` stands for one that is computed."""
    if isinstance(node, nodes.Getattr):
        yield node.attr, node.node
    elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Slice):
        if isinstance(node.arg, nodes.Const):
            yield str(node.arg.value), node.node
        elif not _is_table(node.node):
            yield "body", None
    elif isinstance(node, nodes.Filter) and node.name in _OF_ITEMS:
        if node.dyn_args or node.dyn_kwargs:
            yield "body", None
        for given in (*node.args, *(pair.value for pair in node.kwargs)):
            said = str(given.value) if isinstance(given, nodes.Const) else "body"
            yield from ((part, None) for part in said.split("."))


def _is_table(node: nodes.Node) -> bool:
    """Whether it holds no attribute of a document: what is computed is one of its keys."""
    if isinstance(node, nodes.Name):
        return node.name in ("collections", "env", "params")
    return isinstance(node, nodes.Getattr) and node.attr == "meta"


def _is_own(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.Name) and node.name in _OWN
