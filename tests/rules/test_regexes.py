"""The dialect that PCRE, RE2, JavaScript and Python read alike."""

import json
import shutil
import subprocess

import pytest

from pybuild.rules.patterns import PatternError, check_regex, to_python

PORTABLE = [
    "a|b",
    "(.*)text/markdown(.*)",
    r"\d{2,3}",
    "[a-z0-9_-]+",
    "(?:x)?",
    r"^a\.b$",
    "(?<lang>en|de)-x",
    r"[^\]]*?",
]
FOREIGN = [
    "(?=a)",
    "(?<=a)b",
    r"(a)\1",
    "(?i)a",
    "a++",
    "(?>a)",
    r"\p{L}",
    r"\x41",
    "[[:alpha:]]",
    "a{1000}",
    r"\Z",
    "(?P<a>b)",
]


@pytest.mark.parametrize("regex", PORTABLE)
def test_portable(regex: str) -> None:
    assert check_regex(regex) == (("lang",) if "lang" in regex else ())


@pytest.mark.parametrize("regex", FOREIGN)
def test_foreign(regex: str) -> None:
    with pytest.raises(PatternError, match="is not portable from") as caught:
        check_regex(regex)
    assert "PCRE, RE2, JavaScript and Python share" in caught.value.hint


@pytest.mark.parametrize("regex", ["(a", "a)", "[z-a]", "*a"])
def test_broken(regex: str) -> None:
    with pytest.raises(PatternError):
        check_regex(regex)


def test_named_groups_in_python() -> None:
    assert to_python(r"\(?<a>(?<b>c)") == r"\(?<a>(?P<b>c)"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_reads_them() -> None:
    program = "JSON.parse(process.argv[1]).forEach(function (r) { new RegExp('^(?:' + r + ')$', 'u'); })"
    subprocess.run(["node", "-e", program, json.dumps(PORTABLE)], check=True)


@pytest.mark.parametrize("regex", ["(?!api|_next).*", "a(?<!b)c"])
def test_a_negative_look_around_is_told_what_to_do(regex: str) -> None:
    with pytest.raises(PatternError) as fault:
        check_regex(regex)
    assert fault.value.hint == (
        'name the paths it is for, such as "/:section(guide|blog)/:path*", or write one rule for each'
    )
