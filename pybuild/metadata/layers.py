"""One layer of metadata, read and checked: settings, a layout, a page, or a document's front matter.

Owns the keys of metadata and where each may stand. Merges nothing and writes no markup.
Source of truth: docs/metadata.md; Next.js 16, "Metadata fields", in snake_case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.metadata import fields as metatags
from pybuild.metadata.fields import Pairs, Types
from pybuild.site_files.values import Reader

LayerKind = Literal["settings", "layout", "page", "document"]
DOCUMENT_KEYS = frozenset(
    {
        "alternates",
        "authors",
        "canonical",
        "description",
        "icons",
        "json_ld",
        "keywords",
        "open_graph",
        "robots",
        "title",
        "twitter",
    }
)
KEYS = DOCUMENT_KEYS | {"manifest", "other", *metatags.META_NAMES}
_CODES = {"settings": "config-error", "document": "front-matter-error"}
_ALTERNATE_KEYS = ("canonical", "languages", "types")
_TITLE_KEYS = ("default", "template", "absolute")


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of metadata. What is not in `DOCUMENT_KEYS` is a document's own business."""

    values: Mapping[str, Any]
    kind: LayerKind
    depth: int = -1  # of its folder: `app/` is 0, each folder below adds one; settings are -1
    location: Location = field(default_factory=Location)
    lines: Mapping[str, int] = field(default_factory=dict)  # of its keys, where they are known


@dataclass(frozen=True, slots=True)
class Title:
    text: str = ""
    template: str = ""  # for the titles of deeper folders; holds %s
    is_absolute: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What one layer says, or several together; None or nothing where it is silent. URLs are absolute."""

    title: Title | None = None
    description: str | None = None
    canonical: str | None = None
    languages: Pairs | None = None  # (hreflang, URL)
    types: Types | None = None
    manifest: str | None = None
    keywords: tuple[str, ...] | None = None
    authors: Pairs | None = None  # (name, URL or "")
    robots: Mapping[str, str] = field(default_factory=dict)
    open_graph: Mapping[str, Pairs] = field(default_factory=dict)
    twitter: Mapping[str, Pairs] = field(default_factory=dict)
    icons: Mapping[str, tuple[Pairs, ...]] = field(default_factory=dict)
    meta: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    json_ld: tuple[str, ...] = ()


def read_layer(layer: Layer, config: Config, href: str) -> tuple[Said, list[Diagnostic]]:
    """Read a layer; relative URLs start at the page's address `href`, or at the site's where it has none.

    Findings: `config-error` for settings, `front-matter-error` for a document, else `invalid-setting`.
    """
    reader = Reader(_CODES.get(layer.kind, "invalid-setting"), layer.location, "metadata", layer.lines)
    known = layer.values
    if layer.kind == "document":
        known = {key: value for key, value in known.items() if key in DOCUMENT_KEYS}
    values = reader.table(known, "metadata", KEYS)
    alternates = reader.table(values.pop("alternates", {}), "alternates", _ALTERNATE_KEYS)
    values = {**alternates, **values}
    if layer.kind in ("settings", "layout"):  # what only a page may say
        for key in ("canonical", "languages"):
            if values.pop(key, None) is not None:
                message = f'"{key}" above a page would make every page below a copy of one'
                reader.fault(message, f'move "{key}" to the page it is for')
    said = _LayerReader(reader, config, href).read(values)
    return said, reader.findings


class _LayerReader:
    """Reads the values of one layer; knows where its relative URLs start."""

    def __init__(self, reader: Reader, config: Config, href: str) -> None:
        self.reader = reader
        self.config = config
        self.href = href

    def read(self, values: Mapping[str, Any]) -> Said:
        reader, address = self.reader, self.address
        single: dict[str, Any] = {
            "title": self.title,
            "description": lambda value: reader.text(value, "description"),
            "canonical": lambda value: address(reader, value, "canonical"),
            "languages": lambda value: self.addresses(value, "languages"),
            "types": self.types,
            "manifest": lambda value: self.local(reader, value, "manifest"),
            "keywords": lambda value: reader.texts(value, "keywords"),
            "authors": self.authors,
            "robots": lambda value: metatags.robots(reader, value),
            "open_graph": lambda value: metatags.open_graph(reader, value, address, self.config.zone),
            "twitter": lambda value: metatags.twitter(reader, value, address),
            "icons": lambda value: metatags.icons(reader, value, self.local),
            "json_ld": lambda value: metatags.json_ld(reader, value),
        }
        read = {key: single[key](value) for key, value in values.items() if key in single}
        return Said(meta=self.meta(values), **read)

    def address(self, reader: Reader, value: object, key: str) -> str:
        return reader.address(value, key, site_url=self.config.site.url, href=self.href)

    def local(self, reader: Reader, value: object, key: str) -> str:
        """An address that browsers load: the site's own start with "/", so that they work before it is deployed."""
        url, origin = self.address(reader, value, key), self.config.site.origin
        return url[len(origin) :] if url.startswith(origin + "/") else url

    def addresses(self, value: object, key: str) -> Pairs:
        """Read a mapping of names to URLs, sorted by name."""
        if not isinstance(value, Mapping):
            self.reader.wrong(f"alternates.{key}", "a mapping", value)
            return ()
        pairs = (
            (
                self.reader.language(name, f"alternates.{key}")
                if key == "languages"
                else self.reader.text(name, key),
                self.address(self.reader, url, f"alternates.{key}.{name}"),
            )
            for name, url in value.items()
        )
        return tuple(sorted(pair for pair in pairs if all(pair)))

    def types(self, value: object) -> Types:
        """Read media types with a URL, or a list of URLs or of `{"url", "title"}`, sorted by type."""
        if not isinstance(value, Mapping):
            self.reader.wrong("alternates.types", "a mapping", value)
            return ()
        found = []
        for kind, given in value.items():
            key = f"alternates.types.{kind}"
            for one in self.reader.items(given):
                table = (
                    self.reader.table(one, key, ("title", "url"))
                    if isinstance(one, Mapping)
                    else {"url": one}
                )
                title = self.reader.text(table["title"], f"{key}.title") if "title" in table else ""
                url = self.address(self.reader, table.get("url", ""), f"{key}.url" if len(table) > 1 else key)
                found.append((self.reader.text(kind, "types"), url, title))
        return tuple(sorted((one for one in found if one[0] and one[1]), key=lambda one: one[0]))

    def title(self, value: object) -> Title:
        """Read a title: text, or `{"default", "template", "absolute"}`."""
        if not isinstance(value, Mapping):
            return Title(self.reader.text(value, "title"))
        table = self.reader.table(value, "title", _TITLE_KEYS)
        texts = {key: self.reader.text(given, f"title.{key}") for key, given in table.items()}
        template = texts.get("template", "")
        if template and "%s" not in template:
            message = f'"title.template" has no place for the title: "{template}"'
            self.reader.fault(message, f'write "%s" in it, such as "%s · {self.config.site.title}"')
            template = ""
        absolute = texts.get("absolute", "")
        return Title(absolute or texts.get("default", ""), template, is_absolute=bool(absolute))

    def authors(self, value: object) -> Pairs:
        """Read names, or mappings with `name` and `url`, as (name, URL or ""); their other keys are free."""
        pairs = []
        for item in self.reader.items(value):
            person = item if isinstance(item, Mapping) else {"name": item}
            if not person.get("name"):
                if said := ", ".join(str(key) for key, known in person.items() if known and key != "name"):
                    message = f'"authors" has an entry without a name, with {said} alone'
                    self.reader.fault(message, 'write name: "…" in it', "authors")
                continue
            name = self.reader.text(person.get("name", ""), "authors.name")
            url = person.get("url")
            pairs.append((name, "" if url is None else self.address(self.reader, url, "authors.url")))
        return tuple(pair for pair in pairs if pair[0])

    def meta(self, values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Read the plain meta tags and `other`: name to contents."""
        read = {
            name: self.reader.texts(values[key], key)
            for key, name in metatags.META_NAMES.items()
            if key in values
        }
        other = values.get("other", {})
        if not isinstance(other, Mapping):
            self.reader.wrong("other", "a mapping", other)
            return read
        for name, given in other.items():
            read[self.reader.text(name, "other")] = self.reader.texts(given, f"other.{name}")
        return read
