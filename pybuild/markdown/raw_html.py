"""Raw HTML in Markdown: what of it is let through.

Owns the list of `markdown.html = "safe"`, and how tags are shown as text where it is false. Which schemes may be links
is decided where links are read.
Sources: the list of GitHub's HTML pipeline; ammonia, by nh3; CommonMark 0.31.2 §4.6, §6.5, §6.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Literal

import nh3

from pybuild.markdown.engines import encoded
from pybuild.urls import is_safe

_TAGS = frozenset(
    """a abbr area aside audio b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt
    em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li map mark ol p picture pre q rp rt ruby s samp section
    small source span strike strong sub summary sup table tbody td tfoot th thead time tr track tt u ul var video
    wbr""".split()  # noqa: SIM905
)
_ATTRIBUTES = {
    "*": {"align", "class", "dir", "height", "id", "lang", "title", "width"},
    "a": {"href", "name"},
    "area": {"href", "shape", "coords", "alt"},
    "aside": {"role"},
    "audio": {"src", "controls", "loop", "muted", "preload"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "img": {"src", "srcset", "sizes", "alt", "loading", "decoding"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "map": {"name"},
    "ol": {"start", "type", "reversed"},
    "q": {"cite"},
    "source": {"src", "srcset", "sizes", "media", "type"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope", "abbr"},
    "time": {"datetime"},
    "track": {"src", "kind", "srclang", "label", "default"},
    "video": {"src", "poster", "controls", "autoplay", "loop", "muted", "playsinline", "preload"},
}
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https", "mailto", "tel", "sms", "ftp", "data"},
    strip_comments=False,
    link_rel=None,
)
_TAG = re.compile(r"<(?=[A-Za-z/?!])(?!!--)")
_FOREIGN = re.compile(
    r"""<(?!
        /?(?:p|em|strong|del|code|pre|h[1-6]|[uo]l|li|blockquote|table|thead|tbody|tr|t[hd])>
      | /a> | [bh]r\ />
      | a\ href="[^"]*"(?:\ title="[^"]*")?>
      | img\ src="[^"]*"\ alt="[^"]*"(?:\ title="[^"]*")?\ />
      | code\ class="language-[^"]*"> | ol\ start="\d+"> | t[hd]\ class="align-\w+">
      | !--
      | t[hd]\ style="text-align:\ \w+">
    )""",
    re.X,
)
_TO_THE_END = re.compile(r"<plaintext\b[^>]*>", re.I)  # after which a parser sees no tag, nor an engine's
_LIKE_OURS = re.compile(
    r"</?(?:p|em|strong|del|code|pre|h[1-6]|[uo]l|li|blockquote|table|thead|tbody|tr|t[hd]|a)[\s>]", re.I
)
_OPENING = re.compile(
    r"""<!--(?:-?>|.*?-->) | <(script|style)\b[^>]*>.*?</\1\s*>
      | <([A-Za-z][\w:.-]*)((?:[^"'<>]++|"[^"]*+"|'[^']*+')*+)>
      | <(\?|!(?:\[CDATA\[|[A-Za-z]+))""",
    re.S | re.X | re.I,
)
_ATTRIBUTE = re.compile(
    r"""(?<![^\s"'/])([@:A-Za-z_][\w:.@-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?"""
)
_ADDRESSES = frozenset({"href", "src", "poster", "cite"})
_AUTOLINK = re.compile(r"<(?:[A-Za-z][A-Za-z0-9+.\-]{1,31}:[^\s<>]*|[^\s<>@]+@[A-Za-z0-9.\-]+)>")
_BEFORE_DESTINATION = re.compile(r"\](?:\(|:)\s*\Z")
_SIGNS = "※⁂‽⸮"  # punctuation, as "<" is
_COMMENT = re.compile(r"<!--(?:-?>|.*?-->)", re.S)
_AROUND_LINES = re.compile(
    r"[\s>]+"
)  # what a comment in a container has more in the text: indentation and ">"
_TAIL = 80  # characters of a comment that are looked for first, since most that are not whole reach far
_CODE = re.compile(r"<code[ >].*?</code>", re.S)


def cleaned(html: str, text: str) -> str:
    """Take out of an engine's HTML what no list allows, where `text` has tags of its own; elements are closed."""
    if "<" in text and (_FOREIGN.search(html) or _LIKE_OURS.search(text)):
        return _CLEANER.clean(_TO_THE_END.sub("", html))
    return html


def removed(html: str, text: str) -> Iterator[tuple[Literal["element", "attribute", "address"], str]]:
    """What `cleaned` takes out: elements as `<iframe>`, attributes as `style=`, addresses as they are written."""
    if "<" not in text or not (_FOREIGN.search(html) or _LIKE_OURS.search(text)):
        return
    for tag in _OPENING.finditer(html):
        name = tag[1] or tag[2]
        if name and name.lower() not in _TAGS:
            yield "element", f"<{name}>"
        elif name:
            yield from _removed_attributes(name.lower(), tag[3])
        elif tag[4]:  # `<?php`, `<!DOCTYPE`, `<![CDATA[`
            yield "element", f"<{tag[4]}…>"


def _removed_attributes(name: str, attributes: str) -> Iterator[tuple[Literal["attribute", "address"], str]]:
    for found in _ATTRIBUTE.finditer(attributes):
        attribute, value = found[1].lower(), unescape(found[2] or found[3] or found[4] or "")
        if attribute not in _ATTRIBUTES["*"] | _ATTRIBUTES.get(name, set()):
            yield "attribute", f"{found[1]}="
        elif attribute in _ADDRESSES and not (
            is_safe(encoded(value.strip())) or (value.startswith("data:image/") and name not in ("a", "area"))
        ):
            yield "address", value


def sign_for(text: str, *, shows_all: bool) -> str:
    """What stands for the "<" of tags that are shown as text, all or only an unclosed comment's; "" for none."""
    has_any = _TAG.search(text) if shows_all else None
    if not has_any and ("<!--" not in text or text.rfind("<!--") <= text.rfind("-->")):
        return ""
    return next((sign for sign in _SIGNS if sign not in text), "\ue0ff")


def without_tags(text: str, sign: str, *, shows_all: bool) -> str:
    """Put `sign` for each "<" that could begin what is shown as text, in code too; those of addresses stay.

    Where it only looks like a destination, two of `sign` behind the "<" keep it from being a tag: no name begins so.
    """

    def replaced(found: re.Match[str]) -> str:
        at = found.start()
        if _AUTOLINK.match(text, at):
            return "<"
        return f"<{sign}{sign}" if _BEFORE_DESTINATION.search(text, max(0, at - 80), at) else sign

    if shows_all:
        text = _TAG.sub(replaced, text)
    end = text.rfind("-->") + 3 if "-->" in text else 0
    return text[:end] + text[end:].replace("<!--", f"{sign}!--")


def with_tags_shown(html: str, sign: str) -> str:
    """Show the tags as text."""
    html = html.replace(f"&lt;{sign}{sign}", "&lt;").replace(f'="{encoded(sign + sign)}', '="')
    return html.replace(sign, "&lt;").replace(encoded(sign), "%3C")


def with_whole_comments(html: str, text: str) -> str:
    """Show "<!--" as text where no "-->" ends it in its container: a browser would take what follows for the comment.

    `html` is the engine's of `text`: a comment that is whole stands in both, but for the signs of containers.
    """
    written = _AROUND_LINES.sub("", text)
    last = html.rfind("-->")
    parts: list[str] = []
    done, at = 0, html.find("<!--")
    while at >= 0:
        found = _COMMENT.match(html, at) if at < last else None
        if found and all(_AROUND_LINES.sub("", body) in written for body in (found[0][-_TAIL:], found[0])):
            end = found.end()
        else:
            end = at + len("<!--")
            parts += [html[done:at], "&lt;!--"]
            done = end
        at = html.find("<!--", end)
    return "".join(parts) + html[done:]


def with_foreign_tags_shown(html: str) -> str:
    """Show as text every tag that no engine writes: a line that a comment begins is passed on as it is."""
    return _FOREIGN.sub("&lt;", html)


def shows_tags(html: str, sign: str) -> bool:
    """Whether a tag is outside of code. Precondition: `sign` was not replaced yet."""
    return sign in html and sign in _CODE.sub("", html)
