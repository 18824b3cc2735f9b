"""The JSON Schema and the loader held against each other, and against every settings file of the repository."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from harness import run_command

from pybuild.config.checks import MARKDOWN_ENGINES
from pybuild.config.json_schema import ADDRESS, RULES
from pybuild.config.loader import load_config
from pybuild.config.rules import RULE_KEYS
from pybuild.engines import ENGINES
from pybuild.hosts import TARGETS
from pybuild.rules.model import RULE_TABLES

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"engine": frozenset(ENGINES), "target": frozenset(TARGETS)}
SITE = '[site]\nurl = "https://example.com"\ntitle = "Test"\n'
COLLECTION = '[collections.docs]\nsource = "content"\nroute = "/docs/[slug]"\n'
PRINTED = subprocess.run(
    [sys.executable, "-m", "pybuild", "schema"], capture_output=True, text=True, check=True
)
SCHEMA: dict[str, Any] = json.loads(PRINTED.stdout)


def settings_files() -> list[str]:
    """The settings files that git knows, or would take."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*pybuild.toml"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    return [path for path in listed if (ROOT / path).is_file()]


def faults(text: str) -> list[str]:
    """What the schema says of a settings file."""
    found = jsonschema.Draft7Validator(SCHEMA).iter_errors(tomllib.loads(text))
    return [f"{'.'.join(map(str, fault.absolute_path))}: {fault.validator}" for fault in found]


def refusals(text: str, folder: Path) -> list[str]:
    """What the loader says of it."""
    folder.mkdir(exist_ok=True)
    (folder / "pybuild.toml").write_text(text, "utf-8")
    return [finding.message for finding in load_config(folder, names=NAMES)[1]]


def tables(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of the schema that lists its keys, with its header; those by name get one."""
    if "properties" in schema:
        yield path, schema
        for name, inner in schema["properties"].items():
            yield from tables(inner, f"{path}.{name}".strip("."))
    for inner in schema.get("patternProperties", {}).values():
        yield from tables(inner, f"{path}.de")
    if isinstance(inner := schema.get("additionalProperties"), dict):
        known = schema.get("propertyNames", {}).get("enum", ["docs"])
        yield from tables(inner, f"{path}.{known[0]}")


def keys() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for table, schema in tables(SCHEMA):
        for name, inner in schema["properties"].items():
            if "default" in inner and name != "trailing_slash":
                yield table, name, inner


def document(table: str, line: str) -> str:
    """A sound settings file with one more line in a table."""
    header = f"[{table}]\n"
    base = SITE + (COLLECTION if table.startswith("collections.") else "")
    if table.startswith("collections."):
        base = base.replace("[collections.docs]\n", header)
    if not table:
        return f"{line}\n{base}"
    return base.replace(header, f"{header}{line}\n") if header in base else f"{base}{header}{line}\n"


def test_it_is_a_schema_of_draft_7() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert SCHEMA["$id"] == ADDRESS


def test_it_needs_no_site(tmp_path: Path) -> None:
    run = run_command(tmp_path, "schema", cwd=tmp_path)
    assert (run.code, run.stderr, json.loads(run.stdout)) == (0, "", SCHEMA)


@pytest.mark.parametrize("file", settings_files())
def test_a_settings_file_of_the_repository(file: str, tmp_path: Path) -> None:
    text = (ROOT / file).read_bytes().decode("utf-8-sig", "replace")
    said = refusals(text, tmp_path)
    if not said:
        assert faults(text) == []
    elif any("unknown setting" in message for message in said):
        assert faults(text) != []


def test_there_are_settings_files() -> None:
    assert {f"templates/starters/{name}/pybuild.toml" for name in ("docs", "blog", "api")} <= {
        *settings_files()
    }


@pytest.mark.parametrize(
    ("table", "name", "schema"), list(keys()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_default_is_taken_by_both(table: str, name: str, schema: dict[str, Any], tmp_path: Path) -> None:
    text = document(table, f"{name} = {json.dumps(schema['default'])}")
    assert (refusals(text, tmp_path), faults(text)) == ([], [])


@pytest.mark.parametrize(
    ("table", "name", "schema"), list(keys()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_wrong_value_is_refused_by_both(
    table: str, name: str, schema: dict[str, Any], tmp_path: Path
) -> None:
    text = document(table, f"{name} = 1979-05-27")
    assert [len(refusals(text, tmp_path)) > 0, len(faults(text)) > 0] == [True, True]


@pytest.mark.parametrize("table", [path for path, _ in tables(SCHEMA)])
def test_an_unknown_key_is_refused_by_both(table: str, tmp_path: Path) -> None:
    text = document(table, "no_such_key = 1")
    assert any('unknown setting "no_such_key"' in said for said in refusals(text, tmp_path))
    assert f"{table}: additionalProperties" in faults(text)


@pytest.mark.parametrize(
    ("table", "schema"), list(tables(SCHEMA)), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_key_has_a_sentence(table: str, schema: dict[str, Any]) -> None:
    assert [name for name, inner in schema["properties"].items() if not inner.get("description")] == []


def test_rules_have_the_keys_that_are_read() -> None:
    assert tuple(RULES) == RULE_TABLES
    assert {name: frozenset(rule["properties"]) for name, rule in RULES.items()} == RULE_KEYS
    described = [inner for rule in RULES.values() for inner in rule["properties"].values()]
    assert all(inner["description"] for inner in described)


BOTH_REFUSE = {
    "below the smallest": SITE + "[build]\ntimeout = 0\n",
    "no such host": SITE + '[build]\ntarget = "ngnix"\n',
    "settings of no such host": SITE + "[targets.ngnix]\n",
    "no such engine": SITE + '[build]\nengine = "threads"\n',
    "no such Markdown engine": SITE + '[markdown]\nengine = "mistune"\n',
    "not one of the words": SITE + '[targets.nginx]\non_unsupported = "ignore"\n',
    "no address": '[site]\ntitle = "Test"\n',
    "a collection without a route": SITE + '[collections.docs]\nsource = "content"\n',
    "a redirect with two statuses": SITE + '[[redirects]]\nsource = "/a"\ndestination = "/b"\npermanent = true\nstatus = 301\n',
    "a rule without a source": SITE + '[[rewrites]]\ndestination = "/b"\n',
    "a condition of no known type": SITE + '[[rewrites]]\nsource = "/a"\ndestination = "/b"\nhas = [{ type = "ip", key = "x" }]\n',
    "a proxy that stays": SITE + '[[proxies]]\nsource = "/a"\ndestination = "/b"\n',
}  # fmt: skip


@pytest.mark.parametrize("case", BOTH_REFUSE)
def test_what_both_refuse(case: str, tmp_path: Path) -> None:
    text = BOTH_REFUSE[case]
    assert [len(refusals(text, tmp_path)) > 0, len(faults(text)) > 0] == [True, True]


def test_names_are_those_there_are() -> None:
    properties = SCHEMA["properties"]
    assert properties["build"]["properties"]["target"]["enum"] == list(TARGETS)
    assert properties["build"]["properties"]["engine"]["enum"] == list(ENGINES)
    assert properties["markdown"]["properties"]["engine"]["enum"] == list(MARKDOWN_ENGINES)
    assert "open_graph" in properties["metadata"]["propertyNames"]["enum"]
