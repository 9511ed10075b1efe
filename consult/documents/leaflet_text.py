"""The text of a leaflet: Markdown to clean HTML, the pictures beside it, and what an author may not write."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from html.parser import HTMLParser
from threading import local
from typing import Final
from xml.etree import ElementTree

import markdown
import nh3
from markdown.extensions.attr_list import AttrListExtension
from markdown.extensions.sane_lists import SaneListExtension

PARTS: Final = ("key", "page", "emergency", "today", "soon", "steps")
SCHEMES: Final = ("https://", "mailto:", "tel:")
PICTURE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.svg")

_TAGS: Final = {"p", "h2", "h3", "ul", "ol", "li", "strong", "em", "a", "br", "img"}
_ATTRIBUTES: Final = {"a": {"href"}, "img": {"src", "alt"}}
_CLASSES: Final = {"h2": set(PARTS)}
_RAW_HTML: Final = re.compile(r"<(?=[A-Za-z/!?])[^>\s]*>?")
_DRAWN: Final = {"svg", "g", "path", "circle", "ellipse", "line", "rect", "polyline", "polygon", "title"}
_DRAWN_WITH: Final = {
    *("viewBox", "width", "height", "d", "cx", "cy", "r", "rx", "ry", "x", "y", "x1", "y1", "x2", "y2", "points"),
    *("transform", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray"),
}


def render(body: str, pictures: Mapping[str, str] | None = None) -> str:
    """Markdown to clean HTML: one section for each second-level heading, pictures inside, nothing that could run."""
    schemes = {scheme.rstrip(":/") for scheme in SCHEMES}
    html = _to_html(body)
    clean = nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, allowed_classes=_CLASSES, url_schemes=schemes)
    clean = re.sub(r"<img [^>]*>", lambda found: _with_picture(found[0], pictures or {}), clean)
    first, *rest = re.split(r"(?=<h2[ >])", clean)
    return first + "".join(_section(part) for part in rest)


@lru_cache(maxsize=256)
def rendered(_digest: str, body: str, pictures: tuple[tuple[str, str], ...]) -> str:
    """The same, made once for each digest."""
    return render(body, dict(pictures))


def _with_picture(tag: str, pictures: Mapping[str, str]) -> str:
    """The image of a picture that lies beside the text, drawn inside the page; any other image is left out."""
    name = re.search(r'src="([^"]*)"', tag)
    alt = re.search(r'alt="([^"]*)"', tag)
    if name is None or name[1] not in pictures:
        return ""
    return f'<img src="{picture_address(pictures[name[1]])}" alt="{alt[1] if alt else ""}">'


def picture_address(svg: str) -> str:
    """A drawing as an address that holds it whole."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def pictures_named(body: str) -> list[str]:
    """The file names of the pictures that a text shows, in order."""
    return re.findall(r"!\[[^\]]*\]\(([^)\s]*)\)", body)


def picture_faults(name: str, svg: str) -> Iterator[str]:
    """What a drawing holds beside plain shapes: nothing in it may run, or ask for anything."""
    if "<!" in svg.replace("<!--", ""):
        yield f"The picture {name} holds a document type; save it as a plain SVG."
        return
    try:
        root = ElementTree.fromstring(svg)  # nosec B314 - no document type, so no entities  # noqa: S314
    except ElementTree.ParseError as error:
        yield f"The picture {name} is not valid SVG ({error}); save it again."
        return
    for element in root.iter():
        tag = str(element.tag).removeprefix("{http://www.w3.org/2000/svg}")
        if tag not in _DRAWN:
            yield f"The picture {name} holds a <{tag}>; draw with plain shapes only: {', '.join(sorted(_DRAWN))}."
        for key in element.attrib:
            if key not in _DRAWN_WITH:
                yield f"The picture {name} has {key} on <{tag}>; leave it out."


def _section(part: str) -> str:
    kind = re.match(r'<h2 class="([a-z ]*)">', part)
    opening = f'<section class="{kind[1]}">' if kind else "<section>"
    return f"{opening}\n{re.sub(r'^<h2[^>]*>', '<h2>', part).rstrip()}\n</section>\n"


class _Converters(local):
    """What turns Markdown into HTML, made once for each thread: with all that can be written, and for most texts."""

    @cached_property
    def whole(self) -> markdown.Markdown:
        converter = markdown.Markdown(extensions=[AttrListExtension(), SaneListExtension()], output_format="html")
        # Raw HTML becomes plain text here, whatever the check and the cleaning do.
        converter.preprocessors.deregister("html_block")
        converter.inlinePatterns.deregister("html")
        return converter

    @cached_property
    def plain(self) -> markdown.Markdown:
        """Without looking for what a text has only where it holds one of SPECIAL."""
        converter = markdown.Markdown(extensions=[AttrListExtension(), SaneListExtension()], output_format="html")
        converter.preprocessors.deregister("html_block")
        for name in ("html", *OF_SPECIAL):
            converter.inlinePatterns.deregister(name)
        return converter


SPECIAL: Final = re.compile(r"[`<]|\]\s*:|\]\s*\[")
"""Code, an address in angle brackets, and links whose address stands elsewhere in the text."""
OF_SPECIAL: Final = (
    "backtick",
    "reference",
    "image_reference",
    "short_reference",
    "short_image_ref",
    "autolink",
    "automail",
)
_converters: Final = _Converters()


def _to_html(body: str) -> str:
    converter = _converters.whole if SPECIAL.search(body) else _converters.plain
    try:
        return converter.reset().convert(body)
    except RecursionError:
        vars(_converters).clear()  # what was half read would be in the next text
        raise


def body_faults(body: str, start: int) -> Iterator[str]:
    """What is wrong with the text of a leaflet, each a sentence; `start` is the number of its first line."""
    if not body.strip():
        yield "The leaflet has no text; write it in Markdown below the second +++."
    raw_html = False
    for number, line in enumerate(body.split("\n"), start):
        for found in _RAW_HTML.findall(line):
            raw_html = True
            yield f"Line {number} holds raw HTML ({found}); write it in Markdown, without angle brackets."
    if raw_html:
        return
    try:
        yield from _Forbidden.found_in(_to_html(body))
    except RecursionError:
        yield "Lists stand too deeply inside each other; write fewer levels."


class _Forbidden(HTMLParser):
    """Lists what the cleaning would remove, so that an author learns of it instead of losing it."""

    _INSTEAD: Final = {
        "h1": "the title comes from the front matter, so begin headings with ##",
    }

    def __init__(self) -> None:
        super().__init__()
        self.sentences: list[str] = []

    @classmethod
    def found_in(cls, html: str) -> list[str]:
        parser = cls()
        parser.feed(html)
        parser.close()
        return parser.sentences

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self._picture(dict(attrs))
            return
        if tag not in _TAGS:
            instead = self._INSTEAD.get(tag, "use paragraphs, ## headings, lists, bold and links only")
            self.sentences.append(f"The text makes a <{tag}> element; {instead}.")
            return
        for name, value in attrs:
            self._attribute(tag, name, (value or "").strip())

    def _picture(self, attrs: dict[str, str | None]) -> None:
        if not PICTURE.fullmatch(attrs.get("src") or ""):
            self.sentences.append(
                f"The picture {attrs.get('src')!r} is refused; write the name of an SVG file that lies beside the text."
            )
        if not (attrs.get("alt") or "").strip():
            self.sentences.append("A picture has no words for those who can't see it; write them: ![words](name.svg).")
        if extra := sorted(set(attrs) - {"src", "alt"}):
            self.sentences.append(f"The attribute {extra[0]} on a picture is refused; leave it out.")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if (tag, name) == ("a", "href"):
            if not value.lower().startswith(SCHEMES):
                self.sentences.append(f"The link to {value!r} is refused; write an address that begins with https://.")
        elif (tag, name) == ("h2", "class"):
            if unknown := sorted(set(value.split()) - set(PARTS)):
                self.sentences.append(f"The heading mark {unknown[0]!r} is not known; use one of: {', '.join(PARTS)}.")
        else:
            self.sentences.append(f"The attribute {name} on <{tag}> is refused; put marks only on ## headings.")
