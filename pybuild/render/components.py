"""Components: what directives of Markdown become, by `templates/components/NAME.html` and `NAME.md`.

Owns which there are and what they see: `body`, the attributes as text, `site`, `data`, `url_for`, the language of the
text and its words; no page. The site's own come first, then those that are shipped; text is escaped in both.
Source: docs/components.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path

import jinja2
from markupsafe import Markup

from pybuild.diagnostics import Location
from pybuild.files import shipped_templates
from pybuild.markdown.rewrite import escape
from pybuild.render.templates import Templates, site_loader
from pybuild.source.template_files import COMPONENTS, EXTENSIONS, component_files

_GIVEN = ("site", "data", "url_for")
_WORDS = ("t", "is_rtl")  # these give way to attributes of the same name, as `language` does
_ADDRESSES = ("safe_url", "absolute")  # filters that give one


class SiteComponents:
    """The components of one site. Raises `Stop` with `template-error` where one cannot be rendered."""

    def __init__(self, root: Path, templates: Templates) -> None:
        self._root = root
        self._templates = templates

    @cached_property
    def _html(self) -> jinja2.Environment:
        environment = self._environment(autoescape=True)
        environment.filters["markdown"] = self._templates.environment.filters["markdown"]
        return environment

    @cached_property
    def _markdown(self) -> jinja2.Environment:
        """As for HTML, but that values are escaped as text of Markdown; addresses are no text."""
        environment = self._environment(autoescape=False)
        environment.finalize = _as_text
        environment.globals["url_for"] = lambda url: Markup(self._templates.href(url))
        for name in _ADDRESSES:
            shared = self._templates.environment.filters[name]
            environment.filters[name] = lambda url, shared=shared: Markup(shared(str(url)))
        return environment

    def _environment(self, *, autoescape: bool) -> jinja2.Environment:
        shared = self._templates.environment
        environment = jinja2.Environment(
            loader=site_loader(self._root),
            autoescape=autoescape,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            cache_size=-1,
            extensions=EXTENSIONS,
        )
        environment.globals.update({name: shared.globals[name] for name in (*_GIVEN, *_WORDS)})
        environment.filters.update({name: shared.filters[name] for name in ("date", *_ADDRESSES)})
        return environment

    @cached_property
    def _files(self) -> frozenset[str]:
        shipped = shipped_templates() / "components"
        return frozenset((*component_files(self._root), *(file.name for file in shipped.iterdir())))

    @cached_property
    def names(self) -> Collection[str]:
        return frozenset(file.removesuffix(".html") for file in self._files if file.endswith(".html"))

    def html(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        return self._rendered(self._html, f"{name}.html", attributes, body)

    def markdown(self, name: str, attributes: Mapping[str, str], body: str) -> str:
        if f"{name}.md" not in self._files:
            return body
        return self._rendered(self._markdown, f"{name}.md", attributes, body)

    def _rendered(
        self, environment: jinja2.Environment, file: str, attributes: Mapping[str, str], body: str
    ) -> str:
        site = self._templates.text_site
        attributes = {"language": site.language, **attributes}
        context = {key.replace("-", "_"): value for key, value in attributes.items() if key not in _GIVEN}
        blame = Location(f"templates/{COMPONENTS}/{file}")
        values = {**context, "body": Markup(body), "site": site}
        return self._templates.render(f"{COMPONENTS}/{file}", values, blame=blame, environment=environment)


def _as_text(value: object) -> object:
    return value if isinstance(value, Markup | jinja2.Undefined) else escape(str(value))
