"""Jinja2 as sites see it: filters, and what is said when a template fails."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pybuild.config.loader import Config
from pybuild.config.schema import Options, Settings, Site
from pybuild.diagnostics import Diagnostic, Location
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.render.documents import DocumentIndex
from pybuild.render.links import LinkMap
from pybuild.render.templates import Templates, format_date, safe_url
from pybuild.render.user_code import SiteCode, Stop
from pybuild.source.template_files import check_templates

MOMENT = datetime(2024, 3, 9, 7, 5, 4, tzinfo=UTC)


def templates(root: Path, files: dict[str, str], *, base: str = "") -> Templates:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    settings = Settings(site=Site(url=f"https://example.com{base}", title="T"))
    config = Config(root, "pybuild.toml", settings, Options())
    links = LinkMap(config, {}, frozenset({"/", "/a b"}))
    return Templates(
        config, DocumentIndex({}, {}, MarkdownRenderer(settings.markdown), links), SiteCode(root)
    )


def render(root: Path, text: str, *, base: str = "", **values: Any) -> str:
    made = templates(root, {"templates/t.html": text}, base=base)
    return made.render("t.html", values, blame=Location("app/page.html"))


def fault(root: Path, files: dict[str, str], **values: Any) -> Diagnostic:
    with pytest.raises(Stop) as caught:
        templates(root, files).render("t.html", values, blame=Location("app/page.html"))
    return caught.value.findings[0]


@pytest.mark.parametrize(
    "pattern, text",
    [
        ("%Y-%m-%d", "2024-03-09"),
        ("%-d %B %Y", "9 March 2024"),
        ("%A, %a, %b", "Saturday, Sat, Mar"),
        ("%-m/%-d %-H:%M", "3/9 7:05"),
        ("100%% %H", "100% 07"),
    ],
)
def test_dates_are_english_everywhere(pattern: str, text: str) -> None:
    assert format_date(MOMENT, pattern) == text


@pytest.mark.parametrize(
    "value, text",
    [
        (None, ""),
        ("", ""),
        ("2024-03-09", "2024-03-09"),
        (date(800, 1, 2), "0800-01-02"),
        (MOMENT, "2024-03-09"),
    ],
)
def test_dates_are_taken_as_they_come(value: Any, text: str) -> None:
    assert format_date(value) == text


@pytest.mark.parametrize(
    "address, safe",
    [
        ("https://example.org/a?b#c", True),
        ("/a", True),
        ("a:b/c", False),
        ("mailto:a@example.org", True),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)", False),
        (" java\tscript:alert(1)", False),
        ("\x01javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("http://[", False),
    ],
)
def test_only_harmless_schemes_pass(address: str, safe: bool) -> None:
    assert safe_url(address) == (address if safe else "#")


def test_values_are_escaped_and_names_are_given(tmp_path: Path) -> None:
    text = '{{ x }} {{ site.title }} {{ url_for("/a b") }} {{ "/a"|absolute }} {{ has_page("/") }}'
    assert render(tmp_path, text, base="/base", x="<&>") == (
        "&lt;&amp;&gt; T /base/a%20b https://example.com/a True"
    )


@pytest.mark.parametrize(
    "text, message, hint",
    [
        ("{{ pagee }}", "'pagee' is undefined", 'did you mean "page"?'),
        (
            "{{ zzz.b }}",
            "'zzz' is undefined",
            "correct the name, pass it from load(), or write {% if name is defined %}",
        ),
        ("{{ site.titel }}", "site has no attribute 'titel'", 'did you mean "title"?'),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path, text: str, message: str, hint: str) -> None:
    found = fault(tmp_path, {"templates/t.html": f"\n{text}"}, page=1)
    whole = f"the template t.html failed: UndefinedError: {message}"
    assert found == Diagnostic("template-error", whole, Location("templates/t.html", 2), hint)


def test_a_fault_is_placed_in_the_template_that_has_it(tmp_path: Path) -> None:
    files = {"templates/t.html": "a\n{% include 'part.html' %}", "templates/part.html": "a\n\n{{ 1 / 0 }}"}
    found = fault(tmp_path, files)
    assert (found.code, found.location) == ("template-error", Location("templates/part.html", 3))


def test_leaving_from_a_template_is_a_fault_of_its_line(tmp_path: Path) -> None:
    def leave() -> None:
        raise SystemExit(4)

    found = fault(tmp_path, {"templates/t.html": "a\n\n{{ leave() }}"}, leave=leave)
    assert (found.message, found.location) == (
        "the template t.html failed: it called sys.exit(4)",
        Location("templates/t.html", 3),
    )


def test_templates_are_parsed_before_they_are_rendered(tmp_path: Path) -> None:
    files = {
        "a.html": b"{% if %}",
        "b.html": b"ok\n\xff",
        "c.html": b"{{ unknown|nofilter }}",
        "d.html": b"{% do x %}",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    message = "this is not Jinja2: Expected an expression, got 'end of statement block'"
    assert check_templates(tmp_path, files) == (
        Diagnostic("template-error", message, Location("a.html", 1), "correct the tag at this line"),
        Diagnostic(
            "encoding-error",
            "byte 3 of b.html (0xff) is not UTF-8 text",
            Location("b.html", 2),
            "save the file as UTF-8",
        ),
    )


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    files = {"templates/t.html": "\ufeffa{% include 'b.html' %}", "templates/b.html": "\ufeffb"}
    assert templates(tmp_path, files).render("t.html", {}, blame=Location("")) == "ab"
