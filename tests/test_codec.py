"""Rule sets as JSON and back."""

import json
from pathlib import Path
from typing import Any

import pytest

from pybuild.build.rules import derive
from pybuild.codec import from_json, to_json
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.records import File, Page, Redirection, by_path
from pybuild.rules.model import RuleSet

SETTINGS = """
trailing_slash = true
[site]
url = "https://a.example/base"
title = "Stored"
[[redirects]]
source = "/old/:id(\\\\d+)/:rest*"
destination = "https://b.example/:rest*?id=:id#top"
permanent = true
has = [{ type = "header", key = "X-A", value = "(?<a>.*)" }]
[[rewrites]]
source = "/a"
destination = "/b"
missing = [{ type = "cookie", key = "in" }]
[[headers]]
source = "/(.*)"
headers = { X-All = "a$b;{c}" }
[[proxies]]
source = "/up/:path*"
destination = "https://api.example/:path*"
methods = ["GET", "POST"]
headers = { Authorization = { env = "TOKEN" }, X-App = "1" }
"""


@pytest.fixture
def rules(tmp_path: Path) -> RuleSet:
    (tmp_path / "pybuild.toml").write_text(SETTINGS, "utf-8")
    config, findings = load_config(tmp_path, Options())
    assert findings == ()
    files = [File("api/1", "app/api", "00", 1, "", "application/json", (("Cache-Control", "no-store"),))]
    page = Page("/a", "", "a.html", "a", variant_path="a.md")
    return derive(config, [page], by_path(files), [Redirection("/go", "/a", 307, "app/go/route.py", None)])[0]


def test_a_rule_set_comes_back_as_it_was(rules: RuleSet) -> None:
    assert all((rules.redirects, rules.rewrites, rules.headers, rules.proxies, rules.types))
    assert from_json(json.loads(json.dumps(to_json(rules)))) == rules


def test_an_empty_rule_set_comes_back() -> None:
    assert from_json(to_json(RuleSet())) == RuleSet()


def damaged(value: Any) -> list[Any]:
    """Every value with one part of it replaced, dropped or added."""
    if isinstance(value, dict):
        inner = [{**value, key: one} for key in value for one in damaged(value[key])]
        return [
            7,
            {**value, "more": 1},
            *({k: v for k, v in value.items() if k != key} for key in value),
            *inner,
        ]
    if isinstance(value, list):
        return [
            None,
            {},
            *([*value[:i], one, *value[i + 1 :]] for i, v in enumerate(value) for one in damaged(v)),
        ]
    return [["x"], {"x": 1}, 1.5]


def test_whatever_is_damaged_is_refused(rules: RuleSet) -> None:
    cases = damaged(to_json(rules))
    assert len(cases) > 300
    for case in cases:
        with pytest.raises(ValueError, match="not of a stored rule set"):
            from_json(case)
