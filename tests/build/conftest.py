"""The fixtures of tests/rules, which derive rules from settings and paths."""

from rules.conftest import config, derived, file

__all__ = ["config", "derived", "file"]
