"""The page that stands beside the files of a target and says how to put them to use.

Owns its wording. Knows no host.
"""

from __future__ import annotations

from collections.abc import Sequence

from pybuild.artifact import Artifact
from pybuild.rules.model import RuleSet


def readme(
    target: str,
    lines: Sequence[str],
    more: Sequence[str] = (),
    *,
    where: str = "this folder",
    intro: str = "",
) -> Artifact:
    """`README.md`: the commands that deploy and where to run them, or the lines for the place `intro` names."""
    text = [f"# Deploying to {target}", "", intro or f"Run in {where}:", "", *(f"    {one}" for one in lines)]
    text += ["", *more] if more else []
    text += ["", "Written by pybuild; the next export writes it anew."]
    return Artifact("README.md", f"[{target}]", ("\n".join(text) + "\n").encode())


SITE = "the folder of the site"


def secrets(rules: RuleSet, command: str) -> tuple[str, ...]:
    """How the secrets of proxies are given to the host; `command` has a place for `{name}`."""
    names = sorted({name for rule in rules.proxies for name in rule.env_names})
    if not names:
        return ()
    intro = "Once, so that the proxies have their secrets:"
    return (intro, "", *(f"    {command.format(name=name)}" for name in names))


def spaced(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines with an empty one before them, where there are any."""
    return ("", *lines) if lines else ()
