"""The JSON Schema of the settings file: the same tables as `schema`, in the words of editors.

Owns the form of the document and the keys of rule tables with their types. Keys, types, defaults and sentences
of all other tables come from the dataclasses of `schema`. Reads nothing.
Source: JSON Schema draft-07; SchemaStore, "Contributing"; Taplo, "Directives".
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pybuild.config.schema import NavItem, Settings
from pybuild.rules.model import REDIRECT_STATUSES, ConditionType, Method

ADDRESS = "https://json.schemastore.org/pybuild.json"  # what `#:schema` of a settings file names
Schema = dict[str, Any]
Names = Mapping[str, Sequence[str]]  # the names there are, by the kind that `schema.key` writes
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}
_TAG = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"  # what a language tag may look like
_TEXT: Schema = {"type": "string", "minLength": 1}


def _closed(properties: Mapping[str, Schema], *required: str) -> Schema:
    """A table that takes these keys and no other."""
    table: Schema = {"type": "object", "additionalProperties": False, "properties": dict(properties)}
    return {**table, "required": list(required)} if required else table


_CONDITION = {
    **_closed(
        {
            "type": {"enum": list(typing.get_args(ConditionType)), "description": "what is looked at"},
            "key": {**_TEXT, "description": "its name; a host has none"},
            "value": {
                **_TEXT,
                "description": "a regular expression for the whole value; without it any will do",
            },
        },
        "type",
    ),
    "description": "one thing that a request has, or lacks",
}
_CONDITIONS: Schema = {"type": "array", "items": _CONDITION}
_SHARED: dict[str, Schema] = {
    "source": {**_TEXT, "pattern": "^/", "description": "the addresses it is for, such as `/docs/:slug*`"},
    "has": {**_CONDITIONS, "description": "only for requests that have all of these"},
    "missing": {**_CONDITIONS, "description": "only for requests that have none of these"},
}
_DESTINATION: Schema = {**_TEXT, "description": "where it leads, with the parameters of `source`"}
_ENV = _closed({"env": {**_TEXT, "description": "the variable the host reads when it runs"}}, "env")
RULES: Mapping[str, Schema] = {
    "redirects": {
        **_closed(
            {
                **_SHARED,
                "destination": _DESTINATION,
                "permanent": {"type": "boolean", "description": "308 where it is true, else 307"},
                "status": {
                    "enum": list(REDIRECT_STATUSES),
                    "description": "the status, in place of `permanent`",
                },
            },
            "source",
            "destination",
        ),
        "oneOf": [{"required": ["permanent"]}, {"required": ["status"]}],
        "description": "another address for an old one",
    },
    "rewrites": {
        **_closed({**_SHARED, "destination": _DESTINATION}, "source", "destination"),
        "description": "another file for an address, which stays as it is",
    },
    "headers": {
        **_closed(
            {
                **_SHARED,
                "headers": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "string"},
                    "description": "names and values",
                },
            },
            "source",
            "headers",
        ),
        "description": "headers added to answers",
    },
    "proxies": {
        **_closed(
            {
                **_SHARED,
                "destination": {**_DESTINATION, "pattern": "^https?://"},
                "methods": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"enum": list(typing.get_args(Method))},
                    "default": ["GET", "HEAD"],
                    "description": "the methods that are passed on",
                },
                "headers": {
                    "type": "object",
                    "additionalProperties": {"anyOf": [{"type": "string"}, _ENV]},
                    "description": 'headers for the other server; `{ env = "NAME" }` is read by the host',
                },
            },
            "source",
            "destination",
        ),
        "description": "another server that answers",
    },
}


def json_schema(names: Names) -> Schema:
    """The schema of `pybuild.toml`, and of `[tool.pybuild]`, as a JSON value."""
    schema = _table(Settings, names)
    properties = schema["properties"]
    for table in ("site", "build"):  # where TOML puts a key that follows a header; the loader lifts it
        properties[table]["properties"]["trailing_slash"] = dict(properties["trailing_slash"])
    for name, rule in RULES.items():
        properties[name] = {"description": rule["description"], "type": "array", "items": dict(rule)}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ADDRESS,
        "title": "pybuild",
        **schema,
        "required": ["site"],
        "definitions": {"nav": {"anyOf": [_TEXT, _table(NavItem, names)]}},
    }


def _table(kind: Any, names: Names) -> Schema:
    hints = typing.get_type_hints(kind)
    fields = [
        f for f in dataclasses.fields(kind) if "location" not in hints or f.name not in ("name", "location")
    ]
    rest = next((f for f in fields if f.metadata.get("rest")), None)
    fields = [f for f in fields if f is not rest]
    properties = {field.name: _field(field, hints[field.name], names) for field in fields}
    required = [field.name for field in fields if field.metadata.get("required")]
    sentence = str(kind.__doc__).partition("\n")[0].rstrip(".")
    table = {"description": sentence, **_closed(properties, *required)}
    if rest:
        table["patternProperties"] = {_TAG: _value(typing.get_args(hints[rest.name])[1], names)}
    return table


def _field(field: dataclasses.Field[Any], kind: Any, names: Names) -> Schema:
    facts = field.metadata
    known = names.get(facts.get("names", ""))
    schema = _value(kind, names)
    if sentence := facts.get("sentence"):
        schema["description"] = sentence
    if facts.get("minimum") is not None:
        schema["minimum"] = facts["minimum"]
    if known is not None:
        schema |= {"enum": list(known)} if kind is str else {"propertyNames": {"enum": list(known)}}
    if not (facts.get("required") or field.default is dataclasses.MISSING or dataclasses.is_dataclass(kind)):
        schema["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return schema


def _value(kind: Any, names: Names) -> Schema:
    """The schema of a type of `schema`: a table, a list, tables by name, fixed words, or a scalar."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is NavItem:
        return {"$ref": "#/definitions/nav"}
    if dataclasses.is_dataclass(kind):
        return _table(kind, names)
    if origin is tuple:
        return {"type": "array", "items": _value(inner[0], names)}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is not None and issubclass(origin, Mapping):
        values: Any = True if inner[1] is Any else _value(inner[1], names)
        table: Schema = {"type": "object", "additionalProperties": values}
        return (
            {**table, "description": values["description"]} if dataclasses.is_dataclass(inner[1]) else table
        )
    return {"type": _SCALARS[kind]}
