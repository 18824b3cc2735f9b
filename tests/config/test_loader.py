"""The settings file: what it may say, and what an author is told of what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import SETTINGS

from pybuild.cli.open_site import NAMES
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.config.settings_file import MissingSettings

SITE_KEYS = "[site] knows author, description, language, timezone, title, url"
ADDRESS = 'write the address of the site, such as "https://example.com" or "https://example.com/docs"'


def findings(folder: Path, text: str | bytes, name: str = "pybuild.toml", **options: str) -> list[str]:
    """Each as `place: message (hint)`; the place is a line of pybuild.toml where it names no file."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    found = load_config(folder, Options(**options), names=NAMES)[1]  # type: ignore[arg-type]
    assert {f.code for f in found} <= {"config-error", "encoding-error"}
    return [f"{f.location}".removeprefix("pybuild.toml:") + f": {f.message} ({f.hint})" for f in found]


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "",
            [
                '1: site.url is missing (write url = "https://example.com" below [site])',
                '1: site.title is missing (write title = "My site" below [site])',
            ],
        ),
        (
            "[site]\nurl = ",
            ['2: this is not TOML: Invalid value (write text in quotes, such as title = "My site")'],
        ),
        (b"[site]\ntitle = '\xff'", ["2: byte 16 (0xff) is not UTF-8 text (save the file as UTF-8)"]),
        (
            "[site]\ntitle = My site",
            ['2:9: this is not TOML: Invalid value (write text in quotes, such as title = "My site")'],
        ),
        (
            "[site\n",
            [
                "1:6: this is not TOML: Expected ']' at the end of a table declaration "
                "(correct this line; https://toml.io shows how values are written)"
            ],
        ),
        (
            "[site]\ntitle = 'a'\ntitle = 'b'",
            ["3: this is not TOML: Cannot overwrite a value (keep one of the two)"],
        ),
        (
            "[site]\ntitle = 'a\n",
            ['2: this is not TOML: Expected "\'" (end the text with the quote it began with)'],
        ),
        (SETTINGS + "titel = 1", ['4: unknown setting "titel" in [site] (did you mean "title"?)']),
        (SETTINGS + "xyz = 1", [f'4: unknown setting "xyz" in [site] ({SITE_KEYS})']),
        (
            SETTINGS + "[buidl]\nout = 'x'",
            ['4: unknown setting "buidl" in the top level (did you mean "build"?)'],
        ),
        (
            SETTINGS + "[[redirect]]\nsource = '/a'",
            ['4: unknown setting "redirect" in the top level (did you mean "redirects"?)'],
        ),
        (
            SETTINGS + "[build]\njobs = true",
            [
                "5: build.jobs must be a whole number, not true "
                "(write a whole number; jobs: worker processes; `0` is one a processor)"
            ],
        ),
        (SETTINGS + "[build]\ntimeout = 0", ["5: build.timeout is too small (write a larger number)"]),
        (
            SETTINGS + "[build]\nengine = 'serail'",
            ['5: there is no engine "serail" (did you mean "serial"?)'],
        ),
        (SETTINGS + "[build]\ntarget = 'nginks'", ['5: there is no target "nginks" (did you mean "nginx"?)']),
        (
            SETTINGS + "[targets.nginks]\non_unsupported = 'warn'",
            ['4: there is no target "nginks" (did you mean "nginx"?)'],
        ),
        (
            SETTINGS + "[targets.nginx]\non_unsupported = 'no'",
            ['5: targets.nginx.on_unsupported must be "error" or "warn", not "no" (write "error" or "warn")'],
        ),
        (
            SETTINGS + "timezone = 'Europe/Viena'",
            ['4: "Europe/Viena" is not a time zone (did you mean "Europe/Vienna"?)'],
        ),
        (
            SETTINGS + "timezone = '../../etc/passwd'",
            ['4: "../../etc/passwd" is not a time zone (write an IANA name such as "Europe/Vienna")'],
        ),
        (
            SETTINGS + "[feed]\nformats = ['rss',\n  'rdf']",
            [
                '5: feed.formats.1 must be "rss" or "atom" or "json", not "rdf" (write "rss" or "atom" or "json")'
            ],
        ),
        (
            SETTINGS + "[feed]\ncollections = ['blgo']\n[collections.blog]\nsource = 'b'\nroute = '/[s]'",
            ['5: there is no collection "blgo" (did you mean "blog"?)'],
        ),
        (
            SETTINGS + "[collections.docs]",
            [
                '4: collections.docs.source is missing (write source = "content/docs")',
                '4: collections.docs.route is missing (write route = "/docs/[...slug]")',
            ],
        ),
        (
            SETTINGS + "[collections]\ndocs = 'x'",
            ['5: collections.docs must be a table, not "x" (write a table)'],
        ),
    ],
)
def test_refusals(text: str, said: list[str], tmp_path: Path) -> None:
    assert findings(tmp_path, text) == said


@pytest.mark.parametrize(
    "url",
    ["example.com", "//example.com", "ftp://example.com", "https://", "https://a.example/?q", "https://a.example/#f",
     "https://user:pw@a.example", "https://a.example:x", "https://a.example:99999", "https://a b.example", "https://a.example/..",
     "https://a.example/x//y", "https://a.example/%2e%2e/x", "javascript:alert(1)", "https://a.example/<b>", "https://[::1", "https://a..example"],
)  # fmt: skip
def test_an_address_must_be_one(url: str, tmp_path: Path) -> None:
    text = f'[site]\nurl = "{url}"\ntitle = "T"\n'
    said = f'site.url is not an absolute address: "{url}" ({ADDRESS})'
    assert findings(tmp_path, text) == [f"2: {said}"]


def test_a_bad_base_url_is_blamed_on_the_option(tmp_path: Path) -> None:
    said = 'not an absolute address: "nowhere"'
    assert [f for f in findings(tmp_path, SETTINGS, base_url="nowhere") if said in f] == [
        f": --base-url is {said} ({ADDRESS})"
    ]


@pytest.mark.parametrize(
    "given, url, base",
    [
        ("https://a.example", "https://a.example", ""),
        ("https://a.example/", "https://a.example", ""),
        ("HTTPS://A.example:8080/Docs/", "https://a.example:8080/Docs", "/Docs"),
        ("http://localhost:4000", "http://localhost:4000", ""),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe", "/straße"),
        ("https://a.example/stra%C3%9Fe/", "https://a.example/stra%C3%9Fe", "/straße"),
        ("https://[::1]:80/x", "https://[::1]:80/x", "/x"),
    ],
)  # fmt: skip
def test_an_address_is_encoded_once(given: str, url: str, base: str, tmp_path: Path) -> None:
    (tmp_path / "pybuild.toml").write_text(f'[site]\nurl = "{given}"\ntitle = "T"\n', "utf-8")
    config, found = load_config(tmp_path)
    assert (found, config.site.url, config.site.base_path) == ((), url, base)


def test_pyproject_does_as_well(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "x"\n\n[tool.pybuild.site]\nurl = "https://a.example"\ntitle = "T"\nlang = "de"\n'
    )
    assert findings(tmp_path, text, "pyproject.toml") == [
        'pyproject.toml:7: unknown setting "lang" in [site] (did you mean "language"?)'
    ]


def test_pyproject_must_give_a_table(tmp_path: Path) -> None:
    assert findings(tmp_path, "[[tool.pybuild]]\nx = 1\n", "pyproject.toml")[0] == (
        "pyproject.toml:1: tool.pybuild must be a table (write [tool.pybuild])"
    )


def test_pyproject_of_others_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', "utf-8")
    with pytest.raises(MissingSettings, match=r"has no pybuild\.toml"):
        load_config(tmp_path)


def test_two_settings_files_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pybuild]\ntrailing_slash = true\n", "utf-8")
    assert findings(tmp_path, SETTINGS) == [
        "pyproject.toml:1: settings stand in both pybuild.toml and pyproject.toml "
        "(keep one: delete [tool.pybuild] from pyproject.toml, or delete pybuild.toml)"
    ]


@pytest.mark.parametrize("text", ["\ufeff" + SETTINGS, SETTINGS.replace("\n", "\r\n")], ids=["BOM", "CRLF"])
def test_editors_may_leave_their_marks(text: str, tmp_path: Path) -> None:
    assert findings(tmp_path, text) == []


@pytest.mark.parametrize("value", ["", "soon", "1e3", "99999999999999999999", "-99999999999999"])
def test_source_date_epoch_is_validated(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    assert findings(tmp_path, SETTINGS) == [
        f': SOURCE_DATE_EPOCH is not a number of seconds: "{value}" (set it to seconds since 1970, or unset it)'
    ]
