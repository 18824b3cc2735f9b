"""Pictures of a page: their width and height, when they are loaded, and smaller ones for smaller screens.

Owns which `<img>` of a finished page shows a file of the site, and what is written into it. Sizes are read from the first
bytes of a file. Smaller pictures are made by Pillow, named by their source and settings, and taken from the last export
where they are there. Source: HTML Living Standard §4.8.4; docs/pictures.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape, unescape
from pathlib import Path
from typing import Any

import imagesize

from pybuild.config.loader import Config
from pybuild.look.files import FOLDER, IMMUTABLE, ORIGIN
from pybuild.publish import Stage
from pybuild.records import File
from pybuild.render.links import Asset, LinkMap

PICTURES = "[pictures]"  # the origin of what is made here
_IMG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(script|style|textarea|template)\b.*?(?:</\1\s*>|\Z)|<main\b|<img\s((?:[^"'<>]++|"[^"]*+"|'[^']*+')*+)>""",
    re.S | re.I,
)
_ATTRIBUTE = re.compile(r"""([\w:-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg")
_RESIZED = (".png", ".jpg", ".jpeg", ".webp")
_SVG = re.compile(rb"<svg\b[^>]*>", re.S)
_LENGTH = re.compile(r"\s*([0-9.]+)(?:px)?\s*")
_QUALITY = 80


class Sizes:
    """The sizes of files, each read once."""

    def __init__(self, root: Path, *, by_content: bool) -> None:
        """`by_content`: pages also depend on the bytes, of which smaller pictures are made."""
        self._root, self._by_content = root, by_content
        self._known: dict[str, tuple[int, int] | None] = {}

    def of(self, file: str) -> tuple[int, int] | None:
        """Width and height in CSS pixels; None where they cannot be told."""
        if file not in self._known:
            path = self._root / file
            self._known[file] = _svg_size(path) if file.lower().endswith(".svg") else _size(path)
        return self._known[file]

    def digest(self, file: str) -> str:
        """A digest of the bytes."""
        with contextlib.suppress(OSError):
            return hashlib.sha256((self._root / file).read_bytes()).hexdigest()[:16]
        return ""

    def said(self, file: str) -> str:
        """What a page depends on of a picture, a line for its row."""
        size = self.of(file)
        content = self.digest(file) if size and self._by_content and file.lower().endswith(_RESIZED) else ""
        return f"{file}\t{size}{content}"

    def hold(self, lines: str) -> bool:
        """Whether everything that a page depends on is as it was."""
        return all(self.said(line.partition("\t")[0]) == line for line in lines.split("\n") if line)


def _size(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    width, height = imagesize.get(str(path))
    return (int(width), int(height)) if width > 0 and height > 0 else None


def _svg_size(path: Path) -> tuple[int, int] | None:
    try:
        with path.open("rb") as stream:
            found = _SVG.search(stream.read(1 << 16))
    except OSError:
        return None
    said = dict(_attributes(found[0].decode("utf-8", "replace")[4:-1])) if found else {}
    width, height = (_LENGTH.fullmatch(said.get(name, "")) for name in ("width", "height"))
    if width and height:
        return _positive(float(width[1]), float(height[1]))
    box = re.split(r"[\s,]+", said.get("viewbox", "").strip())
    with contextlib.suppress(ValueError):
        return _positive(float(box[2]), float(box[3])) if len(box) == 4 else None
    return None


def _positive(width: float, height: float) -> tuple[int, int] | None:
    return (round(width), round(height)) if width >= 1 and height >= 1 else None


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for found in _ATTRIBUTE.finditer(text):
        yield found[1].lower(), unescape(found[2] or found[3] or found[4] or "")


@dataclass(slots=True)
class Shown:
    """A page with its pictures."""

    html: str
    files: dict[str, File] = field(default_factory=dict)  # that were made
    said: dict[str, None] = field(default_factory=dict)  # what the page depends on


class Pictures:
    """The pictures of the pages of one process."""

    def __init__(self, config: Config, links: LinkMap, stage: Stage) -> None:
        self._config, self._links, self._stage = config, links, stage
        settings = config.settings.images
        self._widths = tuple(sorted(set(settings.widths)))
        self.sizes = Sizes(config.root, by_content=bool(self._widths))
        self._made: dict[tuple[str, int], File | None] = {}

    def shown(self, html: str, url: str, assets: Iterable[Asset]) -> Shown:
        """Write into each `<img>` of the page at a decoded URL what is known of its file.

        The first picture of the main part is loaded at once, and all before it; the others when they come into sight.
        """
        page = Shown(html)
        if "<img" not in html:
            return page
        files = {"/" + asset.path: asset.file.as_posix() for asset in assets if asset.file.name != ORIGIN}
        is_main, count = "<main" not in html, 0

        def written(found: re.Match[str]) -> str:
            nonlocal is_main, count
            if found[2] is None:
                is_main = is_main or found[0].lower() == "<main"
                return found[0]
            said = dict(_attributes(found[2]))
            file = self._file(said.get("src", ""), url, files)
            if not file:
                return found[0]
            count += is_main
            return self._tag(found, said, file, page, is_late=is_main and count > 1)

        page.html = _IMG.sub(written, html)
        return page

    def _file(self, src: str, url: str, assets: Mapping[str, str]) -> str:
        """The file of the site that an address shows; "" for none."""
        found = self._links.follow(src, url) if src and not src.startswith("#") else None
        if found is None or not found[0].lower().endswith(_SUFFIXES):
            return ""
        return assets.get(found[0]) or f"public{found[0]}"

    def _tag(
        self, found: re.Match[str], said: Mapping[str, str], file: str, page: Shown, *, is_late: bool
    ) -> str:
        page.said[self.sizes.said(file)] = None
        size, new = self.sizes.of(file), ""
        if size is None:
            return found[0]
        if "width" not in said and "height" not in said:
            new += f' width="{size[0]}" height="{size[1]}"'
        if is_late and "loading" not in said:
            new += ' loading="lazy"'
        if is_late and "decoding" not in said:
            new += ' decoding="async"'
        if not said.keys() & {"srcset", "sizes", "width", "height"}:
            new += self._srcset(file, size, said["src"], page)
        end = " /" if found[2].rstrip().endswith("/") else ""
        return f"<img {found[2].rstrip().removesuffix('/').rstrip()}{new}{end}>"

    def _srcset(self, file: str, size: tuple[int, int], src: str, page: Shown) -> str:
        """The smaller pictures of one; "" where there are none."""
        if not file.lower().endswith(_RESIZED):
            return ""
        made = {width: self._smaller(file, width) for width in self._widths if width < size[0]}
        known = {width: one for width, one in made.items() if one}
        if not known:
            return ""
        page.files.update((one.path, one) for one in known.values())
        parts = [f"{self._links.href('/' + one.path)} {width}w" for width, one in known.items()]
        sizes = escape(self._config.settings.images.sizes)
        return f' srcset="{escape(", ".join([*parts, f"{src} {size[0]}w"]))}" sizes="{sizes}"'

    def _smaller(self, file: str, width: int) -> File | None:
        """One picture in a width, staged; None where Pillow cannot read it."""
        key = (file, width)
        if key not in self._made:
            stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem)[:40].strip("-") or "picture"
            said = f"{self.sizes.digest(file)} {width} {_QUALITY} {self._version}"
            path = f"{FOLDER}/{stem}.{hashlib.sha256(said.encode()).hexdigest()[:10]}-{width}.webp"
            self._made[key] = self._staged(path, file, width)
        return self._made[key]

    def _staged(self, path: str, file: str, width: int) -> File | None:
        for folder in (self._stage.tree, self._stage.output.out):
            with contextlib.suppress(OSError):
                digest, size = self._stage.write(path, (folder / path).read_bytes())
                return File(path, PICTURES, digest, size, headers=IMMUTABLE)
        body = _resized(self._config.root / file, width)
        if body is None:
            return None
        digest, size = self._stage.write(path, body)
        return File(path, PICTURES, digest, size, headers=IMMUTABLE)

    @cached_property
    def _version(self) -> str:
        return str(pkgutil.resolve_name("PIL:__version__"))


def _resized(file: Path, width: int) -> bytes | None:
    """A picture as WebP in a width, turned as EXIF says, in its own colours; None for an animation or no picture."""
    image_module: Any = pkgutil.resolve_name("PIL.Image")
    turned: Any = pkgutil.resolve_name("PIL.ImageOps:exif_transpose")
    try:
        with image_module.open(file) as image:
            if getattr(image, "is_animated", False):
                return None
            profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "L", "LA", "P") else None
            picture = turned(image)
            has_alpha = "A" in picture.getbands() or "transparency" in picture.info
            picture = picture.convert("RGBA" if has_alpha else "RGB")
            height = max(1, round(picture.height * width / picture.width))
            out = io.BytesIO()
            small = picture.resize((width, height), image_module.Resampling.LANCZOS)
            small.save(out, "WEBP", quality=_QUALITY, method=4, icc_profile=profile or b"")
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError):
        return None
