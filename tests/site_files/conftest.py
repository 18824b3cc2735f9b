"""Settings and pages, made without a site on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pybuild.config.loader import Config
from pybuild.config.schema import Collection, Options, Settings, Site
from pybuild.records import Page
from pybuild.urls import absolute, page_href, page_path, variant_urls

BASE = "https://acme.example"


@pytest.fixture
def config() -> Callable[..., Config]:
    """Make a Config; keywords are settings, `url`, `title`, `description` … go to `[site]`."""

    def make(**settings: Any) -> Config:
        names = Site.__dataclass_fields__.keys() & settings.keys()
        site = {"url": BASE, "title": "Acme", **{name: settings.pop(name) for name in names}}
        return Config(Path("/site"), "pybuild.toml", Settings(site=Site(**site), **settings), Options())

    return make


@pytest.fixture
def page() -> Callable[..., Page]:
    """Make a Page of a URL; the rest follows from it."""

    def make(url: str, title: str = "", **known: Any) -> Page:
        href = absolute(BASE, page_href(url, trailing_slash=False))
        variant = absolute(BASE, variant_urls(url, trailing_slash=False)[0])
        known = {"variant": variant, "path": page_path(url, trailing_slash=False), **known}
        return Page(url=url, href=known.pop("href", href), title=title or url, **known)

    return make


@pytest.fixture
def docs() -> dict[str, Collection]:
    return {
        "docs": Collection(name="docs", source="content/docs", route="/docs/[...slug]"),
        "blog": Collection(name="blog", source="content/blog", route="/blog/[slug]", title="News"),
    }
