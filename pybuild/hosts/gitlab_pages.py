"""GitLab Pages.

Owns `_redirects`: 301 and 302, for addresses where no file is. Past 1,000 rules GitLab reads none beyond, so
more are refused. Writes no file.
Sources: docs.gitlab.com/user/project/pages/redirects; docs.gitlab.com/user/gitlab_com, "GitLab Pages".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pybuild.config.loader import Config
from pybuild.hosts.base import SITE, Compiled, Target, check_limits, readme, sizes
from pybuild.hosts.limited import Reason, answered, condition_reason, part, plain_reason, shadow_reason, shape
from pybuild.records import Artifact, Files
from pybuild.rules.model import Redirect, Rule, RuleSet
from pybuild.rules.patterns import Destination, Text
from pybuild.urls import encode

NAME = "gitlab-pages"
LIMITS = {"files": 200_000, "site_bytes": 1024**3, "redirects": 1000, "rules_bytes": 64 * 1024}
_STATUSES = (301, 302)


def compile_gitlab(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `_redirects`. Findings: `unsupported-rule`, `rules-lost`, `rule-limit`."""
    urls = answered(files)

    def reason(rule: Rule) -> Reason | None:
        if not isinstance(rule, Redirect):
            return "it has redirects alone", "delete it, or choose another target"
        if rule.status not in _STATUSES:
            near = 301 if rule.status == 308 else 302
            return f"it redirects with 301 and 302, not {rule.status}", f"write status = {near}"
        return condition_reason(rule) or plain_reason(rule) or _form_reason(rule) or shadow_reason(rule, urls)

    parted = part("GitLab Pages", rules, config, reason)
    lines = [line for rule in parted.kept.redirects for line in _lines(rule, encode(rules.base))]
    text = "".join(f"{line}\n" for line in lines).encode()
    site = (Artifact("_redirects", f"[{NAME}]", text),) if lines else ()
    counts = {**sizes(files), "redirects": len(lines), "rules_bytes": len(text)}
    over = check_limits("GitLab Pages", LIMITS, counts, files)
    return Compiled(site, (readme(NAME, _STEPS, _MORE, where=SITE),), (*parted.findings, *over))


_STEPS = ("pybuild export --target gitlab-pages --out public-site",)
_MORE = ("In `.gitlab-ci.yml` the job `pages` runs it and names the folder:", "", "    publish: public-site")


def _form_reason(rule: Redirect) -> Reason | None:
    form, to = shape(rule.source), rule.destination
    if form is None or (form[1] and form[1].modifier == "+"):
        return "its patterns are whole segments and a final :path*", "write one rule for each address"
    if to.query or to.fragment:
        return "its destinations are paths", "leave the query and the fragment out of the destination"
    texts = [part.text for part in to.path if isinstance(part, Text)]
    if any(re.search(r"[:*\s]", encode(text)) for text in texts):
        return 'it reads ":" and "*" in a destination as values', "choose a destination without them"
    return None


def _lines(rule: Redirect, base: str) -> Iterator[str]:
    form = shape(rule.source)
    assert form is not None, "other forms were refused"
    text, last = form
    if last is None:
        yield f"{base}{text} {_filled(rule.destination, base, {})} {rule.status}"
        return
    end, value = ("*", ":splat") if last.repeats else (f":{last.name}", f":{last.name}")
    yield f"{base}{text or '/'} {_filled(rule.destination, base, {last.name: ''})} {rule.status}"
    yield f"{base}{text}/{end} {_filled(rule.destination, base, {last.name: value})} {rule.status}"


def _filled(to: Destination, base: str, values: dict[str, str]) -> str:
    names = {slot.name: values.get(slot.name, f":{slot.name}") for slot in to.slots}
    return (to.origin or base) + to.fill_sent(names)


TARGET = Target(NAME, "GitLab Pages", frozenset({"redirects"}), compile_gitlab, LIMITS)
