"""Apache httpd: one `.htaccess` in the output, on mod_rewrite and mod_headers.

Owns `.htaccess`, the body of 405, the quoting, which differs between mod_rewrite and all the rest, and, for proxies,
the lines that only the server may have. Works from 2.4.26 on. What a visitor sends is taken from the request line, so
that it reaches a Location as it was sent.
Sources: httpd.apache.org/docs/2.4: configuring, mod_rewrite, rewrite/flags, mod_headers, expr, core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pybuild.hosts.accept_regex as accept
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.hosts.base import (
    ALL_FEATURES,
    Compiled,
    Conditional,
    Table,
    Target,
    condition_captures,
    drop_unsupported,
    expand_empty_destinations,
    readme,
    secrets,
    spaced,
    unsupported,
)
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import (
    ADDITIVE,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    REFUSED,
)
from pybuild.rules.media_types import SUFFIX_TYPES
from pybuild.rules.model import (
    ALLOWED,
    Condition,
    Proxy,
    Redirect,
    Rewrite,
    Rule,
    RuleSet,
    SetHeaders,
    allowed,
)
from pybuild.rules.patterns import QUERY_SIGNS, PathPattern, Slot, Text, escape, print_regex, sent_literal
from pybuild.urls import encode

Lines = Iterator[str]


def quoted(text: str) -> str:
    """One argument of a directive. Precondition: no "${" in it but in regexes, where it is escaped."""
    assert text.isprintable(), "control characters are refused before rules are compiled"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def formatted(text: str) -> str:
    """Literal text for a value of mod_headers, which reads formats and escapes such as "\\n" in it."""
    return text.replace("\\", "\\\\").replace("%", "%%")


def unescaped(text: str) -> str:
    """One argument of mod_rewrite, which knows quotes but no escapes inside them."""
    assert text.isprintable() and '"' not in text, "refused before rules are compiled"
    return f'"{text}"'


def plain(text: str) -> str:
    """Literal text for a place where mod_rewrite expands variables and back-references."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("$", "\\$")


def rule(flags: str, *conditions: tuple[str, str] | tuple[str, str, str], to: str = "-") -> Lines:
    """A rule under conditions: test string, pattern and, where needed, flags."""
    for test, pattern, *more in conditions:
        regex = pattern.replace('"', r"\x22")
        yield f"RewriteCond {unescaped(test)} {unescaped(regex)}{' [' + more[0] + ']' if more else ''}"
    yield f"RewriteRule ^ {unescaped(to)} [{flags}]"


def env(name: str) -> str:
    return f"%{{ENV:PB_{name}}}"


def given(name: str, value: str = "1") -> str:
    """An expression: the variable has this value, also after an internal redirect."""
    return f"expr=reqenv('PB_{name}') == '{value}' || reqenv('REDIRECT_PB_{name}') == '{value}'"


def met(condition: Condition) -> tuple[str, str, str]:
    """The test string, pattern and flags that tell whether a condition holds."""
    name, value = escape(condition.key), f"(?:{condition.value})" if condition.value else ""
    if condition.type == "accept":
        wanted = {"text/markdown": "md", "text/html": "html"}[condition.key]
        return env("REP"), f"^{wanted}$", "NV"
    if condition.type == "cookie":
        start = rf"^(?:(?! *{name}=)[^;]*;)* *{name}=(?=[^;])"
        return "%{HTTP:Cookie}", f"{start}{value or '[^;]*'}(?:;|$)", "NV"
    if condition.type == "query":
        start = rf"^(?:(?!{name}=)[^&]*&)*{name}=(?=[^&])"
        return "%{QUERY_STRING}", f"{start}{value or '[^&]*'}(?:&|$)", "NV"
    if condition.type == "host":
        return "%{HTTP:Host}", rf"^(?=.){value}(?::[0-9]*)?$", "NC,NV"
    return f"%{{HTTP:{condition.key}}}", f"^(?=.){value or '.*'}$", "NV"


_GROUPS = 9  # %1 to %9


def group_numbers(source: PathPattern) -> dict[tuple[str, bool], int]:
    """The groups of a printed pattern by parameter; those of optional ones with their slash too (True)."""
    numbers: dict[tuple[str, bool], int] = {}
    for param in source.params:
        for outer in (True, False) if param.is_optional else (False,):
            numbers[param.name, outer] = len(numbers) + 1
    return numbers


_ALLOW = "E=PB_ALLOW:%{ENV:PB_MAY}"
_REFUSED = (
    ".405.txt"  # a file as the body of 405: to one of its own Apache adds an `Allow` that names TRACE alone
)


def compile_apache(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `.htaccess` into the output, and `pybuild-apache.conf` for the server where there are proxies."""
    kept, findings = drop_unsupported(rules, _fault)
    text = "\n".join(_Writer(expand_empty_destinations(kept)).lines(has_404=NOT_FOUND in files))
    site = (Artifact(".htaccess", "[apache]", text.encode()), Artifact(_REFUSED, "[apache]", b"405\n"))
    server = Artifact("pybuild-apache.conf", "[apache]", _SERVER.encode())
    deploy = (server, _readme(config, kept)) if kept.proxies else (_readme(config, kept),)
    return Compiled(site=site, deploy=deploy, findings=findings)


def _readme(config: Config, rules: RuleSet) -> Artifact:
    lines = (
        f"DocumentRoot /path/to/{config.out.name}",
        f"<Directory /path/to/{config.out.name}>",
        "  AllowOverride All",
        "  Require all granted",
        "</Directory>",
        f"IncludeOptional /path/to/{config.deploy.parent.name}/{config.deploy.name}/pybuild-apache.conf",
    )
    said = (
        "The rules themselves are in `.htaccess`, in the output. Modules: mod_rewrite, mod_headers, mod_mime."
    )
    more = (said, *spaced(secrets(rules, "export {name}=VALUE")))
    return readme("Apache", lines, more, intro="In the virtual host:")


_SERVER = """\
# Include this in the virtual host. Written by pybuild; edit pybuild.toml.
# Needs mod_proxy and mod_proxy_http; for https backends mod_ssl.
AllowEncodedSlashes NoDecode
<IfModule ssl_module>
  SSLProxyEngine On
</IfModule>
"""


def _fault(rule: Rule) -> Diagnostic | None:
    values = [pair[1] for pair in rule.headers] if isinstance(rule, SetHeaders) else []
    values += [header.value for header in rule.headers] if isinstance(rule, Proxy) else []
    if any("${" in value for value in values):
        reason = '"${" in a header would be read as a variable'
        return unsupported("apache", rule, reason, "write the header without it")
    if sum(1 + param.is_optional for param in rule.source.params) > _GROUPS:
        reason = f"a pattern can have {_GROUPS} parameters, an optional one counting twice"
        return unsupported("apache", rule, reason, "use fewer parameters")
    if isinstance(rule, Rewrite) and '"' in rule.destination.fill({}):
        return unsupported("apache", rule, "a quote in an address cannot be written", "lead to another file")
    return condition_captures("apache", rule)


class _Writer:
    """Prints the file of one site; its variables begin with `PB_`."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.table = Table.of(rules)
        self.base = encode(rules.base)

    def lines(self, *, has_404: bool) -> list[str]:
        asks = self.rules.negotiation != "off" or self.table.asks_accept
        return [
            "# Written by pybuild; edit pybuild.toml.",
            "Options -MultiViews -Indexes",
            "DirectorySlash Off",
            "RewriteEngine On",
            "RewriteOptions AllowNoSlash",
            *(f"AddType {quoted(media)} .{suffix}" for suffix, media in SUFFIX_TYPES.items()),
            *([f"ErrorDocument 404 {quoted(self.base + '/' + NOT_FOUND)}"] if has_404 else []),
            f"ErrorDocument 405 {quoted(f'{self.base}/{_REFUSED}')}",
            f"ErrorDocument 406 {quoted(NOT_ACCEPTABLE.strip())}",
            *rule("END", ("%{ENV:REDIRECT_STATUS}", "^4")),
            *self._paths(),
            *(self._representation() if asks else ()),
            *self._conditions(),
            *self._header_rules(),
            *self._allow(),
            *self._rewrites(),
            *self._files(),
            *self._which_proxy(),
            *self._options(),
            *self._redirects(),
            *self._slash(),
            *(line for index, one in enumerate(self.rules.proxies) for line in self._proxy(index, one)),
            *rule(f"R=405,L,{_ALLOW}", ("%{REQUEST_METHOD}", "!^(?:GET|HEAD)$")),
            *(self._choose() if self.rules.negotiation != "off" else ()),
            *(self._canonical() if self.rules.variants else ()),
            *self._types(),
            *rule("R=404,L", (env("FINAL"), "^$")),
            *rule("B=%?,END", (env("FINAL"), "^(.+)$"), to=plain(self.rules.base) + "%1"),
            "",
        ]

    def _paths(self) -> Lines:
        base = sent_literal(self.rules.base)
        line = r"^\S+ (?:[A-Za-z][A-Za-z0-9+.-]*://[^/? ]*)?"
        yield from rule(
            "R=400,L", ("%{THE_REQUEST}", rf"{line}[^? ]*?(?:{REFUSED.replace('$', '[? ]')})", "NC")
        )
        yield from rule("E=PB_SENT:/", ("%{THE_REQUEST}", line))
        yield from rule("E=PB_SENT:%1", ("%{THE_REQUEST}", f"{line}{base}(/[^? ]*)"))
        yield from rule("E=PB_URL:/,E=PB_PATH:/", ("%{REQUEST_URI}", "^"))
        yield from rule(
            "E=PB_URL:%1,E=PB_PATH:%1", ("%{REQUEST_URI}", f"(?s)^{escape(self.rules.base)}(/.*)$")
        )
        prefix = f"%{{CONTEXT_PREFIX}}::{plain(self.rules.base)}"
        yield from rule("E=PB_ROOT:%{CONTEXT_DOCUMENT_ROOT}%2", (prefix, r"^(.*?)/?::\1(.*)$"))

    def _representation(self) -> Lines:
        field = "%{HTTP:Accept}"
        yield from rule("E=PB_MD:0000,E=PB_HTML:0000,E=PB_REP:html", ("%{REQUEST_URI}", "^"))
        yield from rule("E=PB_VALID:1", (field, '!"', "NV"), (field, accept.valid(), "NC,NV"))
        for name, media in accept.RANGES.items():
            below = accept.fraction(media, "(")
            yield from rule(f"E=PB_X{name}:0%1000", (field, below, "NC,NV"))
            yield from rule(f"E=PB_X{name}:1000", (field, accept.full(media), "NC,NV"))
        for name in ("md", "html"):
            weights = f"{env('X' + name)}|{env('Xtext')}|{env('Xany')}"
            yield from rule(f"E=PB_{name.upper()}:%1", (weights, r"^\|{0,2}([0-9]{4})"))
        both = f"{env('VALID')}:{env('MD')}:{env('HTML')}"
        yield from rule("E=PB_REP:none", (both, "^1:0000:0000$"))
        yield from rule(
            "E=PB_REP:md",
            (f"{both}:{env('Xmd')}", r"^1:(?!0000)([0-9]{4}):\1:[0-9]", "OR"),
            (both, accept.greater("^1:", ":") + "$"),
        )

    def _conditions(self) -> Lines:
        for index, condition in enumerate(self.table.conditions):
            yield from rule(f"E=PB_C{index}:0", ("%{REQUEST_URI}", "^"))
            yield from rule(f"E=PB_C{index}:1", met(condition))

    def key(self, rest: str) -> str:
        return "".join(env(f"C{index}") for index in range(len(self.table.conditions))) + ":" + rest

    def when(self, one: Conditional, *, sent: bool = True) -> tuple[str, str]:
        """The condition that a rule applies; its groups are those of the pattern."""
        pattern = self.pattern(one.source, sent=sent)
        return self.key(env("SENT" if sent else "PATH")), f"(?s)^{self.table.digits(one)}:{pattern}$"

    def pattern(self, source: PathPattern, *, sent: bool) -> str:
        literal = sent_literal if sent else escape
        return print_regex(source, literal=literal, around=lambda _: "(") + "/?"

    def filled(self, source: PathPattern, parts: Iterable[Text | Slot], *, sent: bool, kept: str = "") -> str:
        """A destination whose slots are the back-references of the last condition, or variables `kept` before it."""
        numbers = group_numbers(source)

        def one(part: Text | Slot) -> str:
            if isinstance(part, Text):
                return plain(encode(part.text) if sent else part.text)
            number = numbers[part.name, bool(part.prefix)]
            return env(f"{kept}{number}") if kept else f"%{number}"

        return "".join(one(part) for part in parts)

    def keep(self, one: Redirect | Proxy, name: str) -> Lines:
        """Keep what a pattern takes in variables, since every later condition overwrites the back-references."""
        numbers = group_numbers(one.source).values()
        yield from rule(",".join(f"E=PB_{name}{number}:%{number}" for number in numbers), self.when(one))

    def query(self, one: Redirect | Proxy, name: str) -> tuple[tuple[tuple[str, str], ...], str, str]:
        """The query of a destination: the condition that takes kept values, the text, and the flag that encodes them."""
        slots = [part for part in one.destination.query if isinstance(part, Slot)]
        values = " ".join(self.filled(one.source, (slot,), sent=True, kept=name) for slot in slots)
        taken = ((values, "^" + " ".join([r"(\S*)"] * len(slots)) + "$"),) if slots else ()
        numbers = iter(range(1, len(slots) + 1))
        text = "".join(
            plain(part.text) if isinstance(part, Text) else f"%{next(numbers)}"
            for part in one.destination.query
        )
        return taken, text, f",B={QUERY_SIGNS}" if slots else ""

    def _header_rules(self) -> Lines:
        for index, one in enumerate(self.rules.headers):
            yield from rule(f"E=PB_H{index}:1", self.when(one))
            for name, value in one.headers:
                act = "add" if name.lower() in ADDITIVE else "set"
                text = quoted(formatted(value))
                yield f"Header always {act} {name} {text} {quoted(given(f'H{index}'))}"

    def _options(self) -> Lines:
        """Answer OPTIONS before anything is redirected, where no proxy wants it; `PB_MAY` names what is allowed."""
        yield from rule("E=PB_READS:r", (env("FINAL"), "."))
        for one in self.rules.redirects:
            yield from rule("E=PB_READS:r", self.when(one))
        yield from rule(f"E=PB_MAY:m{env('READS')}{env('PROXY')}", ("%{REQUEST_URI}", "^"))
        wanted = "".join(
            f"|p{index}" for index, one in enumerate(self.rules.proxies) if "OPTIONS" in one.methods
        )
        asked = (f"%{{REQUEST_METHOD}}:{env('PROXY')}", f"^OPTIONS:(?!(?:none{wanted})$)")
        yield from rule("R=404,L", asked, (env("MAY"), "^m$"))
        yield from rule(f"R=204,L,{_ALLOW},E=PB_OPTIONS:1", asked)

    def _allow(self) -> Lines:
        """Headers of answers that say what is allowed, after those that rules set."""
        kinds = {"m": ALLOWED, "mr": ALLOWED}
        for index, one in enumerate(self.rules.proxies):
            kinds |= {f"m{reads}p{index}": allowed(one.methods, read=bool(reads)) for reads in ("", "r")}
        origins = [
            f"reqenv('PB_H{index}') == '1'"
            for index, one in enumerate(self.rules.headers)
            if any(name.lower() == ALLOW_ORIGIN for name, _ in one.headers)
        ]
        for kind, listed in kinds.items():
            yield f"Header always set Allow {quoted(listed)} {quoted(given('ALLOW', kind))}"
            here = f"expr=reqenv('PB_OPTIONS') == '1' && reqenv('PB_ALLOW') == '{kind}' && ({' || '.join(origins)})"
            methods = quoted(listed.replace(", OPTIONS", ""))
            if origins:
                yield f"Header always setifempty {ALLOW_METHODS} {methods} {quoted(here)}"

    def _redirects(self) -> Lines:
        """Redirects; to a path of the site Apache itself adds the scheme and host it was asked under."""
        for index, one in enumerate(self.rules.redirects):
            if any(isinstance(part, Slot) for part in one.destination.query):
                yield from self.keep(one, f"G{index}x")
            for tests, to, flags in self._locations(one, f"G{index}x"):
                yield from rule(f"R={one.status},NE,L{flags}", *tests, to=to)

    def _locations(
        self, one: Redirect, name: str
    ) -> Iterator[tuple[tuple[tuple[str, str] | tuple[str, str, str], ...], str, str]]:
        """With the visitor's query and without; a query is put behind by itself where nothing follows it."""
        to = one.destination
        taken, own, encodes = self.query(one, name)
        path = plain(to.origin or self.base)
        path += self.filled(one.source, to.path, sent=True, kept=name if taken else "")
        here = (self.when(one), *taken)
        fragment = plain(f"#{to.fragment}") if to.fragment else ""
        if own or fragment:
            query = f"{own}&%{{QUERY_STRING}}" if own else "%{QUERY_STRING}"
            yield (("%{QUERY_STRING}", "."), *here), f"{path}?{query}{fragment}", f",QSD{encodes}"
        yield here, f"{path}{'?' + own if own else ''}{fragment}", encodes

    def _rewrites(self) -> Lines:
        left = len(self.rules.rewrites)
        for one in self.rules.rewrites:
            left -= 1
            to = self.filled(one.source, one.destination.path, sent=False)
            skip = f",S={left}" if left else ""
            yield from rule(f"E=PB_URL:%1{skip}", self.when(one, sent=False), (to, "(?s)^(.*)$"))

    def _files(self) -> Lines:
        """Find the file of the address after rewrites: the last that exists counts."""
        root, bare, stem = env("ROOT"), env("BARE"), env("STEM")
        yield from rule("E=PB_BARE:%1,E=PB_STEM:%1", (env("URL"), "(?s)^(.*?)/*$"))
        yield from rule("E=PB_STEM:/index", (bare, "^$"))
        yield from rule(f"E=PB_FINAL:{bare}/index.html", (f"{root}{bare}/index.html", "-f"))
        yield from rule(f"E=PB_FINAL:{stem}.html", (f"{root}{stem}.html", "-f"))
        yield from rule(f"E=PB_FINAL:{bare}", (bare, "."), (f"{root}{bare}", "-f"))
        hidden = rf"^/(?:{escape(NOT_FOUND)}|{escape(_REFUSED)})$|/\.ht[^/]*$"
        yield from rule("E=PB_FINAL:", (env("SENT"), "%(?:2f|5c)", "NC,OR"), (env("FINAL"), hidden))

    def _which_proxy(self) -> Lines:
        """The first proxy that matches; rules run in reverse, so that it is the last to be noted."""
        for index, one in reversed(list(enumerate(self.rules.proxies))):
            to = self.filled(one.source, one.destination.path, sent=True)
            yield from rule(f"E=PB_PROXY:p{index},E=PB_TO:%1", self.when(one), (to, "^(.*)$"))
            if any(isinstance(part, Slot) for part in one.destination.query):
                yield from self.keep(one, f"P{index}x")

    def _slash(self) -> Lines:
        free = (env("PROXY"), "^$")
        base, flags = plain(self.base), "R=308,NE,L"
        slashless = (env("SENT"), "^(/(?!/).*?[^/]|/[^/])/+$")
        if not self.rules.trailing_slash:
            yield from rule(flags, free, slashless, to=base + "%1")
            return
        both = f"{env('FINAL')}::{env('BARE')}"
        without = (env("SENT"), "^(/(?!/)(?:.*[^/])?)$")
        yield from rule(flags, free, (both, r"(?s)^(.+)/index\.html::\1$"), without, to=base + "%1/")
        yield from rule(flags, free, (both, r"(?s)^(.+)::\1$"), slashless, to=base + "%1")

    def _proxy(self, index: int, one: Proxy) -> Lines:
        mine = (env("PROXY"), f"^p{index}$")
        free = (f"{env('FINAL')}:%{{REQUEST_METHOD}}", "^:|:(?!GET$|HEAD$)")
        methods = ("%{REQUEST_METHOD}", f"!^(?:{'|'.join(one.methods)})$")
        yield from rule(f"R=405,L,{_ALLOW}", mine, free, methods)
        values, own, encodes = self.query(one, f"P{index}x")
        to = plain(one.destination.origin) + env("TO") + (f"?{own}" if own else "")
        flags = f"P,NE{',QSA' if own else ''}{encodes},E=PB_TAKEN:p{index}"
        yield from rule(flags, mine, free, *values, to=to)
        taken = quoted(f"expr=reqenv('PB_TAKEN') == 'p{index}'")
        sent = {header.name.lower() for header in one.headers}
        for name in ("Authorization", "Cookie"):
            if name.lower() not in sent:
                yield f"RequestHeader unset {name} {taken}"
        for header in one.headers:
            text = f"expr=%{{osenv:{header.env}}}" if header.env else formatted(header.value)
            yield f"RequestHeader set {header.name} {quoted(text)} {taken}"
        yield f"Header unset Set-Cookie {taken}"

    def _choose(self) -> Lines:
        both = f"{env('FINAL')}::{env('BARE')}"
        yield from rule("E=PB_TWIN:%1.md", (both, r"(?s)^(.*)\.html::(?!\1\.html$)"))
        yield from rule("E=PB_NEG:1", (env("TWIN"), "."), (f"{env('ROOT')}{env('TWIN')}", "-f"))
        yield f"Header always merge Vary Accept {quoted(given('NEG'))}"
        chosen = f"{env('NEG')}:{env('REP')}"
        if self.rules.negotiation == "strict":
            yield from rule("R=406,L", (chosen, "^1:none$"))
        yield from rule(f"E=PB_FINAL:{env('TWIN')}", (chosen, "^1:md$"))
        # the address of Markdown that was chosen; a name that needs escapes is taken as it was sent
        md = (chosen, "^1:md$")
        here = (f"{env('URL')}::{env('PATH')}", r"(?s)^(.*)::\1$")
        index = (env("TWIN"), r"/index\.md$")
        yield from rule("E=PB_AT:%1.md", md, here, (env("SENT"), "^(/.*?)/*$"))
        yield from rule("E=PB_AT:%1/index.md", md, here, index, (env("SENT"), "^(/.*?)/*$"))
        yield from rule("E=PB_AT:%1.md", md, here, index, (env("SENT"), "^(/.*/index)/*$"))
        yield from rule("E=PB_AT:%1", md, (env("TWIN"), f"^({accept.PLAIN})$"))
        at = quoted(f"{formatted(self.base)}%{{REDIRECT_PB_AT}}e")
        yield f"Header set Content-Location {at} env=REDIRECT_PB_AT"

    def _canonical(self) -> Lines:
        page = env("PAGE")
        same = (f"{env('FINAL')}::{env('PATH')}", r"(?s)^(.+)\.md::\1\.md$")
        yield from rule("E=PB_PAGE:%1", same)
        exists, folder = ((f"{env('ROOT')}{page}{end}", "-f") for end in (".html", "/index.html"))
        known = (page, ".")
        yield from rule("E=PB_LINK:%1/", known, folder, (env("SENT"), r"^(/.+)\.md$"))
        yield from rule("E=PB_LINK:%1", known, exists, (env("SENT"), r"^(/.+)\.md$"))
        yield from rule("E=PB_LINK:%1", known, exists, (env("SENT"), r"^(/|/.*/)index\.md$"))
        site = formatted(self.rules.site)
        link = quoted(f'<{site}%{{REDIRECT_PB_LINK}}e>; rel="canonical"')
        yield f"Header add Link {link} env=REDIRECT_PB_LINK"

    def _types(self) -> Lines:
        """Number the rule that fits the file; of several the first, which is noted last."""
        for index, one in reversed(list(enumerate(self.rules.types))):
            pattern = f"(?s)^{self.pattern(one.source, sent=False)}$"
            yield from rule(f"E=PB_T:{index}", (env("FINAL"), pattern))
            value = quoted(formatted(one.media_type))
            yield f"Header set Content-Type {value} {quoted(given('T', str(index)))}"


TARGET = Target("apache", "Apache httpd", ALL_FEATURES, compile_apache, {"parameters": _GROUPS})
