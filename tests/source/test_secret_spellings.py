"""Which variables are secret, and in which spellings their values are found and masked."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

import pytest
from jinja2 import Environment
from markupsafe import escape

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.source.secrets import leak_in, masked, masked_finding, secrets_of
from pybuild.urls import encode

VALUE = 'tw/live <9f86>&"d0\'81" $1%{x}~é'
PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEA\n-----END PRIVATE KEY-----\n"
)
SPELLINGS = {
    "plain": VALUE,
    "html": html.escape(VALUE),
    "jinja": str(escape(VALUE)),
    "json": json.dumps(VALUE),
    "json with slashes escaped": json.dumps(VALUE).replace("/", "\\/"),
    "tojson": Environment().from_string("{{ v | tojson }}").render(v=VALUE),
    "tojson in an attribute": str(escape(Environment().from_string("{{ v | tojson }}").render(v=VALUE))),
    "urlencode": Environment().from_string("{{ v | urlencode }}").render(v=VALUE),
    "quote": quote(VALUE, safe=""),
    "quote in lower case": quote(VALUE, safe="").replace("%C3%A9", "%c3%a9").replace("%3C", "%3c"),
    "quote_plus": quote_plus(VALUE),
    "our addresses": encode(VALUE),
    "repr": repr(KeyError(VALUE)),
    "repr of bytes": repr(VALUE.encode()),
    "an attribute of XML": html.escape(VALUE, quote=False).replace('"', "&quot;"),
    "nginx": '"' + VALUE.replace("\\", "\\\\").replace('"', '\\"') + '"',
}


@pytest.mark.parametrize("spelling", [name for name in SPELLINGS if "lower" not in name])
def test_a_value_is_found_and_masked_in_every_spelling(spelling: str) -> None:
    secrets = secrets_of({"A_TOKEN": f" {VALUE}\n"}, sent=(), public=())
    text = f"<p>{SPELLINGS[spelling]}</p>"
    assert leak_in(text.encode(), secrets) == "A_TOKEN"
    assert "9f86" not in masked(text, secrets) and "$A_TOKEN" in masked(text, secrets)


@pytest.mark.parametrize("text", [PEM, repr(PEM), json.dumps(PEM), PEM.split("\n")[1], html.escape(PEM)])
def test_the_lines_of_a_value_are_secrets(text: str) -> None:
    secrets = secrets_of({"DEPLOY_KEY": PEM}, sent=(), public=())
    assert leak_in(text.encode(), secrets) == "DEPLOY_KEY"
    assert "MII" not in masked(text, secrets) and "AQEF" not in masked(text, secrets)


def test_the_frame_of_a_key_is_no_secret() -> None:
    secrets = secrets_of({"DEPLOY_KEY": PEM}, sent=(), public=())
    assert leak_in(b"A key begins with -----BEGIN PRIVATE KEY-----", secrets) == ""


@pytest.mark.parametrize(
    "name",
    ["GH_PAT", "PAT", "DB_PASS", "MYSQL_PWD", "SSH_PASSPHRASE", "APP_JWT", "HTTP_AUTH", "BASIC_AUTHORIZATION", "SENTRY_DSN", "STRIPE_KEY"]
    + ["SLACK_WEBHOOK_URL", "SESSION_COOKIE", "BEARER", "AWS_SECRET_ACCESS_KEY", "Npm_Token", "APIKEY", "OAUTH_CLIENT"]
    + ["STRIPE_KEY_2", "SIGNING_KEYS", "DB_PASS1", "stripe-key"],
)  # fmt: skip
def test_names_that_are_secret(name: str) -> None:
    assert secrets_of({name: "0123456789"}, sent=(), public=()) == {name: ("0123456789",)}
    assert secrets_of({name: "0123456789"}, sent=(), public=[name]) == {}
    assert secrets_of({name: "0123456789", "PYBUILD_PUBLIC_X": "0123456789"}, sent=(), public=()) == {}
    assert secrets_of({name: "0123456789"}, sent=[name], public=[name]) == {name: ("0123456789",)}


@pytest.mark.parametrize(
    "name",
    ["PWD", "OLDPWD", "GIT_AUTHOR_NAME", "SSH_AUTH_SOCK", "XAUTHORITY", "PATH", "COMPASS", "KEYBOARD", "MONKEY", "PATTERN"],
)  # fmt: skip
def test_names_that_are_not(name: str) -> None:
    assert secrets_of({name: "/home/somebody"}, sent=(), public=()) == {}


@pytest.mark.parametrize(
    ("value", "passwords"),
    [
        ("postgres://app:hunter2hunter2@db/x", ("hunter2hunter2",)),
        ("http://u:p%40ssw0rd1@proxy:3128", ("p%40ssw0rd1", "p@ssw0rd1")),
        ("a=redis://:0123456789@r/0 b=amqp://u:abcdefgh1@q", ("0123456789", "abcdefgh1")),
        ("postgres://postgres:postgres@localhost/x", ()),
        ("mysql://root:password@localhost", ()),
        ("http://example.com:8080/@x", ()),
        ("http://u:short@h", ()),
    ],
)
def test_passwords_inside_addresses(value: str, passwords: tuple[str, ...]) -> None:
    found = secrets_of({"DATABASE_URL": value}, sent=(), public=())
    assert found.get("DATABASE_URL", ()) == passwords


def test_every_field_of_a_finding_is_masked() -> None:
    secrets = secrets_of({"A_TOKEN": "0123456789"}, sent=(), public=())
    place = Location("app/0123456789/page.md", 3)
    found = Diagnostic("handler-error", "0123456789", place, "no 0123456789", (Note("0123456789", place),))
    shown = Location("app/$A_TOKEN/page.md", 3)
    assert masked_finding(found, secrets) == Diagnostic(
        "handler-error", "$A_TOKEN", shown, "no $A_TOKEN", (Note("$A_TOKEN", shown),)
    )
