"""Rule sets as JSON, so that a publication can be served and held against its host without rendering.

Owns both directions; reading is strict, since what is read decides what a server answers. Knows no file and
no host. Source of truth: the nouns of `rules.model`; the keys are their field names.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Any, Literal

from pybuild.rules.model import RuleSet

Json = Any


def to_json(rules: RuleSet) -> Json:
    """The rule set as values that `json` can write: objects, lists, texts and numbers."""
    return _plain(rules)


def from_json(value: Json) -> RuleSet:
    """Read what `to_json` made. Raises `ValueError` for anything else."""
    rules: RuleSet = _read(RuleSet, value)
    return rules


def _plain(value: object) -> Json:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _read(kind: Any, value: Json) -> Any:
    if dataclasses.is_dataclass(kind):
        noun: Any = kind
        hints = _fields(noun)
        _required(value, isinstance(value, dict) and value.keys() == hints.keys())
        return noun(**{name: _read(hint, value[name]) for name, hint in hints.items()})
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        _required(value, isinstance(value, list))
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        _required(value, len(value) == len(kinds))
        return tuple(_read(kind, one) for kind, one in zip(kinds, value, strict=True))
    if origin is Literal:
        return _required(value, any(value == one and type(value) is type(one) for one in inner))
    if inner:
        return _read(_member(inner, value), value)
    return _required(value, type(value) is kind)


def _member(kinds: tuple[Any, ...], value: Json) -> Any:
    """The kind of a union that a value is of; two nouns of one union never have the same fields."""
    if isinstance(value, dict):
        nouns: list[Any] = [kind for kind in kinds if dataclasses.is_dataclass(kind)]
        fits = (kind for kind in nouns if _fields(kind).keys() == value.keys())
    else:
        fits = (kind for kind in kinds if type(value) is kind)
    found = next(fits, None)
    _required(value, found is not None)
    return found


@functools.cache
def _fields(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _required(value: Json, sound: bool) -> Json:
    if not sound:
        raise ValueError(f"not of a stored rule set: {value!r:.80}")
    return value
