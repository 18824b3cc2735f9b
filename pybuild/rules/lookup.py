"""The first rule that answers an address, found without trying each of thousands.

Owns the order between rules without parameters, which are looked up, and the others, which are tried. Takes
conditions as not met: a rule with `has` or `missing` is left out. Knows no kind of rule and no host.
Source: docs/rules.md, "Order".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from pybuild.rules.model import Proxy, Redirect, Rewrite

Lead = TypeVar("Lead", Redirect, Rewrite, Redirect | Rewrite | Proxy)


class Lookup(Generic[Lead]):
    """Rules in their order; more may be added at the end."""

    def __init__(self, rules: Iterable[Lead] = ()) -> None:
        self._literal: dict[str, tuple[int, Lead]] = {}
        self._tried: list[tuple[int, Lead]] = []
        self._count = 0
        for rule in rules:
            self.add(rule)

    def add(self, rule: Lead) -> None:
        self._count += 1
        if rule.has or rule.missing:
            return
        literal = rule.source.literal
        if literal is None:
            self._tried.append((self._count, rule))
        else:
            self._literal.setdefault(literal, (self._count, rule))

    def first(self, url: str) -> tuple[Lead, dict[str, str]] | None:
        """The first rule that matches a decoded URL, with what its parameters take."""
        bare = url[:-1] if len(url) > 1 and url.endswith("/") else url
        number, known = self._literal.get(bare, (self._count + 1, None))
        for index, rule in self._tried:
            if index > number:
                break
            captures = rule.source.match(url)
            if captures is not None:
                return rule, captures
        return None if known is None else (known, {})
