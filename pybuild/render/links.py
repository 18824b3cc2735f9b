"""Where a link in Markdown leads: another document, a file beside it, or a URL of the site.

Owns the reading of hrefs as an author writes them. Checks nothing: what is found goes on as `Link`
values and is held against the finished site. Source: RFC 3986 §5.2 for relative references.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import unicodedata
from collections import ChainMap
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from pybuild.config.loader import Config
from pybuild.files import is_withheld
from pybuild.records import LANGUAGE_NAMES, Link
from pybuild.urls import absolute, encode, is_external, nfc, page_href, variant_urls

_SUFFIXES = (".md", ".markdown")
_PORTS = {"http": 80, "https": 443}
_REMEMBERED = 4096  # addresses a process remembers


@dataclass(frozen=True, slots=True)
class Asset:
    """A file beside a document that is published because the document names it."""

    path: str  # in the output
    file: Path  # relative to the site


@dataclass(frozen=True, slots=True)
class Resolved:
    """One href, understood."""

    href: str  # for the HTML page
    absolute: str  # for the Markdown variant and for feeds
    link: Link | None = None
    asset: Asset | None = None


def resolution(found: Iterable[Resolved]) -> str:
    """A digest of what became of hrefs, in their order."""
    said = [
        (f.href, f.absolute, f.link and (f.link.target, f.link.fragment), f.asset and f.asset.path)
        for f in found
    ]
    return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Home:
    """Where the text with the links is, and where it will answer."""

    file: str  # relative to the site
    url: str  # decoded URL of the page
    folder: str  # site folder whose files are published beside the page
    base: str  # decoded URL that folder stands for
    locale: str = ""  # the language of the page
    outer: tuple[str, str] = ("", "")  # folder and base of the default language


@dataclass(frozen=True, slots=True)
class LinkMap:
    """The documents and pages of a site, as links name them."""

    config: Config
    files: Mapping[str, str]  # document, relative to the site → decoded URL
    pages: Set[str]  # decoded URLs
    localized: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # the same for each further language

    stand_ins: Mapping[str, str] = field(
        default_factory=dict
    )  # pages that are not translated, to the page whose text they have
    origin: str = field(init=False)  # of the site: scheme and host
    base: str = field(init=False)  # the decoded path of its address
    _followed: dict[str, tuple[str, str] | None] = field(default_factory=dict, compare=False, repr=False)
    _hrefs: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", self.config.site.origin)
        object.__setattr__(self, "base", self.config.site.base_path)

    def resolve(self, href: str, line: int | None, home: Home) -> Resolved:
        """Understand one href written at `line` of `home.file`."""
        if is_external(href) or not href:
            found = self.own_link(href)
            return Resolved(href, href, Link(*found, home.file, line, href) if found else None)
        path, mark, rest = _split(href)
        fragment = unquote(href.partition("#")[2])
        written = unquote(path)
        asset = None
        tail = mark + quote(rest, safe="/?#:@!$&'()*+,;=~%")
        elsewhere = self._elsewhere(written, home.url)
        if elsewhere and (written.startswith("/") or self._document(_beside(written, home), home) is None):
            return Resolved(encode(elsewhere) + tail, self.origin + encode(elsewhere) + tail)
        if not written:
            target = home.url
        elif written.startswith("/"):
            target = self._rooted(written)
        else:
            target, asset = self._relative(written, home)
        link = Link(target, fragment, home.file, line, href)
        shown = self.href(target)
        page = target if target in self.pages else ""
        kept = mark + rest if not written else shown + tail
        return Resolved(kept, self._absolute(page, shown) + tail, link, asset)

    def follow(self, href: str, url: str) -> tuple[str, str] | None:
        """Where a browser goes from the page `url`: a decoded site URL and a fragment; None when it leaves the site."""
        if not href.startswith("/"):
            return self._follow(href, url)
        if href not in self._followed:  # it leads to the same place from each page, and most pages have it
            if len(self._followed) >= _REMEMBERED:
                self._followed.clear()
            self._followed[href] = self._follow(href, url)
        return self._followed[href]

    def _follow(self, href: str, url: str) -> tuple[str, str] | None:
        if is_external(href):
            return None
        path = _split(href)[0]
        written, fragment = unquote(path), unquote(href.partition("#")[2])
        if not written:
            return url, fragment
        base = self.base
        if self._elsewhere(written, url):
            return None
        if not written.startswith("/"):
            return self._page_or_path(self._joined(written, url), written), fragment
        if not (written + "/").startswith(base + "/"):
            return None
        return self._page_or_path(_normal(written[len(base) :]), written), fragment

    def follow_from(self, href: str, url: str) -> tuple[str, str] | None:
        """As `follow`, from an answer at exactly the address `url`, such as a file: no slash is put behind it."""
        if is_external(href):
            return self.own_link(href)
        return self.follow(urljoin(encode(self.base + url), href), url)

    def led_to(self, text: str, url: str, *, named: str = "") -> tuple[str, str] | None:
        """Where an address of the page `url` leads, as `follow`; what head tags name is an address of the whole web."""
        if named in LANGUAGE_NAMES:
            return "", ""
        if is_external(text):
            return self.own(text) if named else self.own_link(text)
        return self.follow(text, url)

    def own_link(self, address: str) -> tuple[str, str] | None:
        """Where a link with a host leads on this site; None where it leaves it."""
        origin, base = self.origin, self.base
        if origin.partition("//")[2].partition(":")[0] not in address.lower():  # as of most
            return None
        found = self.own(address)
        if found and base and not (unquote(urlsplit(address).path) + "/").startswith(base + "/"):
            return None
        return found

    def own(self, address: str) -> tuple[str, str] | None:
        """Where an absolute address leads on this site, also where its host or base path is spelt otherwise; else None."""
        try:
            parts, site = urlsplit(address), urlsplit(self.config.site.url)
            if not parts.scheme:  # "//host/path" has that of the page
                parts = parts._replace(scheme=site.scheme)
            ports = [one.port or _PORTS.get(one.scheme) for one in (parts, site)]
        except ValueError:
            return None
        is_same = ports[0] == ports[1] or {parts.port, site.port} <= {None, 80, 443}
        if parts.scheme not in _PORTS or parts.hostname != site.hostname or not is_same:
            return None
        written, base = unquote(parts.path) or "/", self.base
        fragment = unquote(parts.fragment)
        if self._is_others(written):
            return None
        if (written + "/").casefold().startswith(base.casefold() + "/"):
            return self._page_or_path(_normal(written[len(base) :]), written), fragment
        page = _normal(written)
        return (page, fragment) if page in self.pages else None

    def _elsewhere(self, written: str, url: str) -> str:
        """The path on the host of a link that leaves the site: above its base path, or where others answer; else ""."""
        if not (self.base or self.config.settings.links.ignore):
            return ""
        base = self.base
        if written.startswith("/"):
            return written if self._is_others(written) else ""
        if not written:
            return ""
        joined = posixpath.normpath(posixpath.join(base + _folder_of(url, self.config), written))
        slash = "/" if written.endswith(("/", "/..")) and joined != "/" else ""
        is_above = bool(base) and not (joined + "/").startswith(base + "/")
        # Without a base path ".." ends at "/" (RFC 3986 §5.2.4), and leads to the same below one.
        if is_above:
            inside = nfc(posixpath.normpath(posixpath.join(_folder_of(url, self.config), written)))
            is_above = inside not in self.pages and not (self.config.root / f"public{inside}").is_file()
        return joined + slash if is_above or self._is_others(joined + slash) else ""

    def _is_others(self, path: str) -> bool:
        """Whether `links.ignore` names a path of the host."""
        return any(
            fnmatchcase(path, glob) or path.rstrip("/") == glob.removesuffix("/**")
            for glob in self.config.settings.links.ignore
        )

    def _document(self, file: str, home: Home) -> str | None:
        """The decoded URL of a document, which may be named without its suffix, in the language of a page."""
        files = ChainMap(self.localized[home.locale], self.files) if home.locale else self.files  # type: ignore[arg-type]
        spelt = (file, file + ".md", file + ".markdown", file + "/index.md")
        return next((files[one] for one in spelt if one in files), None)

    def published(self, href: str, url: str) -> str:
        """An href of a finished page as an absolute URL, a page's being that of its variant."""
        found = self.follow(href, url)
        if found is None:
            return href if is_external(href) else urljoin(absolute(self.config.site.url, url), href)
        target, _ = found
        _, mark, rest = _split(href)
        return self._absolute(target if target in self.pages else "", self.href(target)) + mark + rest

    def href(self, target: str) -> str:
        """A decoded site URL as browsers are given it: base path, trailing slash and encoding applied."""
        if target not in self._hrefs:
            if len(self._hrefs) >= _REMEMBERED:
                self._hrefs.clear()
            is_page = target in self.pages
            shown = page_href(target, trailing_slash=self.config.trailing_slash) if is_page else target
            self._hrefs[target] = encode(self.base + shown)
        return self._hrefs[target]

    def published_page(self, url: str) -> str:
        """The absolute URL of a page."""
        return self.origin + self.href(url)

    def variant(self, url: str) -> str:
        """The absolute URL of a page's Markdown variant; one that is not translated has that of its original."""
        url = self.stand_ins.get(url, url)
        return absolute(self.config.site.url, variant_urls(url, trailing_slash=self.config.trailing_slash)[0])

    def _absolute(self, page: str, shown: str) -> str:
        return self.variant(page) if page else self.origin + shown

    def _rooted(self, written: str) -> str:
        """A path of the site, with or without its base path before it; a page of just that path is meant first."""
        base = self.base
        if base and (written + "/").startswith(base + "/") and _normal(written) not in self.pages:
            written = written[len(base) :] or "/"
        return self._page_or_path(_normal(written), written)

    def _page_or_path(self, url: str, written: str) -> str:
        """`/a/` means the page `/a` where there is one; other trailing slashes stay."""
        slash = written.endswith("/") and url != "/" and url not in self.pages
        return url + "/" if slash else url

    def _relative(self, written: str, home: Home) -> tuple[str, Asset | None]:
        """A document's path, a file beside it, or else a URL as a browser would join it."""
        near = _beside(written, home)
        if (url := self._document(near, home)) is not None:
            return url, None
        if not near.startswith("../") and not written.endswith((*_SUFFIXES, "/")):
            asset = self._asset(near, home)
            if asset:
                return "/" + asset.path, asset
            if near.startswith("public/") and (self.config.root / near).is_file():
                return near.removeprefix("public"), None
        return self._page_or_path(self._joined(written, home.url), written), None

    def _joined(self, written: str, url: str) -> str:
        """Where a relative path leads from the page `url`, also out of the base path and back into it."""
        base, folder = self.base, _folder_of(url, self.config)
        joined = nfc(posixpath.normpath(posixpath.join(base + folder, written)))
        if (joined + "/").startswith(base + "/"):
            return joined[len(base) :] or "/"
        return nfc(posixpath.normpath(posixpath.join(folder, written)))

    def _asset(self, near: str, home: Home) -> Asset | None:
        folder, base = home.folder, home.base
        if home.outer[0] and not near.startswith(folder + "/"):
            folder, base = home.outer
        inside = near.removeprefix(folder + "/")
        hidden = any(part.startswith(".") for part in inside.split("/"))
        if inside == near or hidden or near.endswith((".py", ".pyc")):
            return None
        root = self.config.root
        spelt = (Path(form) for form in (near, unicodedata.normalize("NFD", near)))
        file = next((file for file in spelt if (root / file).is_file()), None)
        real = (root / file).resolve() if file else None
        if not (file and real and real.is_relative_to(root)) or is_withheld(root, real):
            return None
        return Asset((base.rstrip("/") + "/" + inside)[1:], file)


_MARK = re.compile("[?#]")


def _beside(written: str, home: Home) -> str:
    """The file that a relative path names from the folder of a document."""
    return nfc(posixpath.normpath(posixpath.join(posixpath.dirname(home.file), written)))


def _normal(path: str) -> str:
    return nfc(posixpath.normpath("/" + path.lstrip("/")))


def _folder_of(url: str, config: Config) -> str:
    """The folder a browser resolves relative references against (RFC 3986 §5.2.3)."""
    return page_href(url, trailing_slash=config.trailing_slash).rpartition("/")[0] + "/"


def _split(href: str) -> tuple[str, str, str]:
    """Cut an href before its query or fragment: `a.md?x#y` → `("a.md", "?", "x#y")`."""
    found = _MARK.search(href)
    cut = found.start() if found else len(href)
    return href[:cut], href[cut : cut + 1], href[cut + 1 :]
