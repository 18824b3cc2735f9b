"""The conditions of a rule set, numbered, so that hosts with regexes can check several at once.

Owns the numbering and the digits a rule wants to see: "1" for `has`, "0" for `missing`, "." for any.
Knows no host.
"""

from __future__ import annotations

from dataclasses import dataclass

from pybuild.rules.model import Condition, Proxy, Redirect, Rewrite, RuleSet, SetHeaders

Conditional = Redirect | Rewrite | SetHeaders | Proxy


@dataclass(frozen=True, slots=True)
class Table:
    """All conditions of a rule set, each once."""

    conditions: tuple[Condition, ...]  # in the order of the rules

    @classmethod
    def of(cls, rules: RuleSet) -> Table:
        listed: tuple[Conditional, ...] = (*rules.redirects, *rules.rewrites, *rules.headers, *rules.proxies)
        return cls(tuple(dict.fromkeys(one for rule in listed for one in (*rule.has, *rule.missing))))

    @property
    def asks_accept(self) -> bool:
        return any(condition.type == "accept" for condition in self.conditions)

    def digits(self, rule: Conditional) -> str:
        """A regex over one digit for each condition of the table: `.1.0`."""
        return "".join(
            "1" if condition in rule.has else "0" if condition in rule.missing else "."
            for condition in self.conditions
        )
