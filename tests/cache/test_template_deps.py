"""What templates are held to reach: all that they might."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from incremental import put

from pybuild.cache.template_deps import Dependencies, TemplateDependencies


def _reach(root: Path, text: str, **others: str) -> Dependencies:
    for name, source in {"t": text, **others}.items():
        file = root / f"templates/{name}.html"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, "utf-8")
    return TemplateDependencies(root).reach(("t.html",))


@pytest.mark.parametrize(
    ("text", "index", "whole", "pages"),
    [
        ("{{ document.html }}{{ page.toc }}{{ url_for('/a') }}", False, False, False),
        ("{{ url_for(page.path) }}", False, False, True),
        ("{% set u = url_for %}{{ u('/a') }}", False, False, True),
        ("{{ outputs.llms }}{{ url_for(outputs.llms) }}", False, False, False),
        ("{% for d in collections.a %}{{ d.title }}{{ d['title'] }}{% endfor %}", True, False, False),
        ("{% for d in collection('a') %}{{ d.meta[params.x] }}{% endfor %}", True, False, False),
        ("{% for d in collections.a %}{{ d.html }}{% endfor %}", True, True, False),
        ("{% for d in collections.a %}{{ d['html'] }}{% endfor %}", True, True, False),
        ("{% for d in collections.a %}{{ d[params.x] }}{% endfor %}", True, True, False),
        ("{% for document in collections.a %}{{ document.html }}{% endfor %}", True, True, False),
        ("{{ collections.a | map(attribute='excerpt') | join }}", True, True, False),
        ("{{ collections.a | map(attribute='title') | join(', ') }}", True, False, False),
        ("{{ collections.a | map(attribute=params.x) | join }}", True, True, False),
        ("{{ '{0.html}'.format(document) }}", False, True, False),
        ("{{ document._library }}", False, True, False),
        ("{% set collections = document %}", False, True, False),
        ("{% include 'other.html' %}", True, False, False),
        (
            "{% for item in collections.a %}{% include 'default/list-item.html' %}{% endfor %}",
            True,
            True,
            False,
        ),
        ("{% include page.path %}", True, True, False),
        ("{% if", False, True, False),
    ],
)
def test_reach(text: str, index: bool, whole: bool, pages: bool, tmp_path: Path) -> None:
    found = _reach(tmp_path, text, other="{{ collections.a.get('x').title }}")
    assert (found.index, found.whole, found.pages) == (index, whole, pages)


def test_the_digest_follows_what_is_named(tmp_path: Path) -> None:
    text = "{% extends 'base.html' %}{% include ['may.html', 'base.html'] %}"
    steps: list[dict[str, str]] = [{"base": "1"}, {"base": "2"}, {"may": ""}, {"other": "x"}]
    first, base, may, other = (_reach(tmp_path, text, **files).digest for files in steps)
    assert len({first, base, may}) == 3 and may == other


SHADOWS = [  # a template of the site in the place of ours, and whether a page with titles of all then reads all texts
    ("list-item.html", "{{ item.title }}", False),
    ("list-item.html", "{{ item.excerpt }}", False),  # lists are told with their texts
    ("list-item.html", "{{ item.excerpt }}{{ page.next.title }}", True),
    ("about.html", "{{ item.excerpt }}", True),
]


@pytest.mark.parametrize(("name", "text", "whole"), SHADOWS)
def test_texts_that_our_templates_read_are_told_by_navigation(
    name: str, text: str, whole: bool, tmp_path: Path
) -> None:
    (tmp_path / "templates/default").mkdir(parents=True)
    (tmp_path / "templates/default" / name).write_text(text, "utf-8")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/layout.html").write_text(
        "{% for d in collections.a %}{{ d.title }}{% endfor %}", "utf-8"
    )
    found = TemplateDependencies(tmp_path).reach(("default/document.html", "app/layout.html"))
    assert (found.index, found.whole) == (True, whole)


@pytest.mark.parametrize("text", ["{{ page.related[0].excerpt }}", "{{ page.next.document.html }}"])
def test_texts_of_what_is_around_a_page_are_texts_of_others(text: str, tmp_path: Path) -> None:
    assert _reach(tmp_path, text).whole


@pytest.mark.parametrize("damage", [None, [], {}, "text", [[]] * 12, [1] * 12, [True] * 12, {"names": 1}])
def test_what_is_known_of_a_text_is_not_found_again_and_damage_costs_time_only(
    tmp_path: Path, damage: object
) -> None:
    put(
        tmp_path,
        "templates/a.html",
        "{% extends 'b.html' %}{{ url_for('/x') }}{{ asset('y.css') }}{{ data }}",
    )
    put(
        tmp_path,
        "templates/b.html",
        "{% for d in collections.docs %}{{ d.html }}{% endfor %}{{ navigation }}",
    )
    first = TemplateDependencies(tmp_path)
    expected = first.reach(("a.html",))
    known = json.loads(json.dumps(first.findings))
    second = TemplateDependencies(tmp_path, known)
    assert second.reach(("a.html",)) == expected and second.findings == first.findings
    damaged = TemplateDependencies(tmp_path, dict.fromkeys(known, damage))
    assert damaged.reach(("a.html",)) == expected and damaged.findings == first.findings
    put(tmp_path, "templates/b.html", "{{ d.html }}")
    assert TemplateDependencies(tmp_path, known).reach(("a.html",)) == TemplateDependencies(tmp_path).reach(
        ("a.html",)
    )
