"""What every page must be, whatever it shows."""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder

import html5lib
from bare import bare, outline
from html5lib.html5parser import ParseError
from lxml import etree

from consult.web.dates import BOXES, written

LABELLED = ("input", "select", "textarea")
UNLABELLED_TYPES = ("hidden", "submit", "button")
SVG = "{http://www.w3.org/2000/svg}"
CAMEL = {"viewbox": "viewBox"}
"""Attributes of drawings that are not all in small letters."""
TITLE = re.compile(r"<title>([^<]*)</title>")


class Sound(set[tuple[bool, bytes]]):
    """What was left of the pages that were found sound: parsing one as strictly as HTML allows takes longer than making
    it. Where several processes share a run of tests, each takes up what the others found.
    """

    def __init__(self) -> None:
        super().__init__()
        self.file: Path | None = None
        self.taken_up = 0

    def __contains__(self, shape: object) -> bool:
        return super().__contains__(shape) or (self._take_up() and super().__contains__(shape))

    def add(self, *shapes: tuple[bool, bytes]) -> None:
        super().update(shapes)
        if self.file:
            with self.file.open("ab", buffering=0) as file:
                file.write(b"".join(bytes([whole]) + digest for whole, digest in shapes))

    def has_mark(self, mark: bytes) -> bool:
        """Whether an element was found sound: of those that others found, only where they were taken up."""
        return super().__contains__((True, mark))

    def _take_up(self) -> bool:
        if self.file is None or not self.file.exists():
            return False
        with self.file.open("rb") as file:
            file.seek(self.taken_up)
            more = file.read()
        more = more[: len(more) // SHAPE * SHAPE]
        self.taken_up += len(more)
        for at in range(0, len(more), SHAPE):
            super().add((bool(more[at]), more[at + 1 : at + SHAPE]))
        return bool(more)


OUTLINE = "outline\0"
"""What keeps the outline of a page from being taken for a page."""
SHAPE = 1 + hashlib.sha256().digest_size
SOUND = Sound()


@lru_cache(maxsize=16)
def parse(text: str) -> Element:
    """A whole page; ParseError unless it is as strict as HTML allows."""
    if shape(text, whole=True) not in SOUND:
        strict(text)
    return read(text)


@lru_cache(maxsize=16)
def shape(text: str, whole: bool) -> tuple[bool, bytes]:
    """By what a page, or pieces of one, are known again whose soundness hangs on the same."""
    return whole, hashlib.sha256(bare(text).encode(errors="surrogatepass")).digest()


def strict(text: str) -> Element:
    """A whole page, parsed as strictly as HTML allows: in plain Python, and slowly."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def parse_pieces(text: str) -> Element:
    """What htmx puts into a page."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parseFragment(text)


def read(text: str) -> Element:
    """A page that is sound, as a browser reads it: what a strict parser reads too, in a tenth of the time."""
    parser = etree.HTMLParser(target=_Tree())
    parser.feed(text)
    return parser.close()


class _Tree:
    """Puts together what libxml2 finds, and what a browser adds: the body of a table, the namespace of a drawing."""

    def __init__(self) -> None:
        builder, self.open = TreeBuilder(), [""]
        self.data, self.close = builder.data, builder.close
        self._begin, self._finish = builder.start, builder.end

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        within, given = self.open[-1], dict(attributes)
        if tag == "tr" and within == "table":
            self.start("tbody", {})
        if tag == "svg" or within.startswith(SVG):
            tag, given = SVG + tag, {CAMEL.get(name, name): value for name, value in given.items()}
        self.open.append(tag)
        self._begin(tag, given)

    def end(self, tag: str) -> None:
        while (last := self.open.pop()) != tag and last.removeprefix(SVG) != tag:
            self._finish(last)
        self._finish(last)


def alike(one: Element, other: Element) -> bool:
    """Whether two trees hold the same, but for blanks between elements."""
    return (
        (one.tag, one.attrib, len(one)) == (other.tag, other.attrib, len(other))
        and _say_alike(one.text, other.text)
        and all(alike(a, b) and _say_alike(a.tail, b.tail) for a, b in zip(one, other, strict=True))
    )


def _say_alike(one: str | None, other: str | None) -> bool:
    return one == other or not f"{one or ''}{other or ''}".strip()


def faults(page: Element) -> Iterable[str]:
    """What is wrong with a page, in words."""
    if (headings := len(page.findall(".//h1"))) != 1:
        yield f"{headings} h1"
    if page.find(".//title") is None or not title(page).strip():
        yield "no title"
    yield from faults_of_pieces(page)
    ids = {e.get("id") for e in page.iter() if e.get("id")}
    for element in page.iter():
        for attribute in ("for", "aria-labelledby", "aria-describedby", "form"):
            for target in (element.get(attribute) or "").split():
                if target not in ids:
                    yield f"{attribute}={target} points nowhere"


def faults_of_pieces(page: Element) -> Iterable[str]:
    """What is wrong with the parts of a page."""
    ids = Counter(e.get("id") for e in page.iter() if e.get("id"))
    yield from (f"id {name} {n} times" for name, n in ids.items() if n > 1)
    labelled = {e.get("for") for e in page.iter("label")} - {None}
    inside = {id(e) for label in page.iter("label") for e in label.iter()}
    for element in page.iter():
        if element.tag in LABELLED and element.get("type") not in UNLABELLED_TYPES:
            named = element.get("aria-label") or element.get("aria-labelledby") or id(element) in inside
            if not named and element.get("id") not in labelled:
                yield f"{element.tag} {element.get('name')} has no label"
        elif element.tag == "form" and element.get("method", "get") == "post":
            if not any(e.get("name") == "csrf_token" for e in element.iter("input")):
                yield f"form {element.get('action')} has no CSRF token"
        elif element.tag == "option" and not ("".join(element.itertext()).strip() or element.get("label")):
            yield f"option {element.get('value')} says nothing"
        elif element.tag in ("button", "a") and not ("".join(element.itertext()).strip() or element.get("aria-label")):
            yield f"{element.tag} says nothing"
        if element.get("autocomplete") and element.get("type") in ("hidden", "radio", "checkbox"):
            yield f"input {element.get('name')} says something of autocomplete, which only text can have"
        if any(name.startswith("on") or name == "style" for name in element.keys()):  # noqa: SIM118 - an Element
            yield f"{element.tag} holds a script or a style"


def wrong_with(text: str, pieces: bool = False) -> list[str]:
    """What is wrong with a page or with pieces, in words, with the first fault of their HTML alone."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    try:
        if pieces:
            return [*faults_of_pieces(parser.parseFragment(text))]
        page = parser.parse(text)
    except ParseError as fault:
        return [f"{fault} at {parser.errors[-1][0]}"]
    return [*faults(page), *([] if alike(page, read(text)) else ["it may be read in two ways"])]


def wrong_with_bare(left: str) -> list[str]:
    """The same of what is left of a page: strictly parsed is what is new in its outline, and only once."""
    new, marks = outline(left, SOUND.has_mark)
    again = (True, hashlib.sha256(f"{OUTLINE}{new}".encode(errors="surrogatepass")).digest())
    if again not in SOUND:
        try:
            both = strict(new), read(new)
        except ParseError as fault:
            return [str(fault)]
        if not alike(*both):
            return ["it may be read in two ways"]
    SOUND.add(again, *((True, mark) for mark in marks))
    return [*faults(read(left))]


def title(page: Element) -> str:
    return "".join(page.find(".//title").itertext())  # type: ignore[union-attr]


def title_in(text: str) -> str:
    """The title of a page that is not parsed."""
    found = TITLE.search(text)
    return html.unescape(found[1]) if found else ""


def text(page: Element) -> str:
    """What a page says, with single spaces."""
    return " ".join("".join(page.itertext()).split())


def value_of(page: Element, name: str) -> str | None:
    """What a field of a page holds: the text, or the value that is chosen; of a date what its boxes say together."""
    boxes = [box for end in BOXES for box in page.iter("input") if box.get("name") == name + end]
    if boxes:
        return written(box.get("value", "") for box in boxes)
    for element in page.iter():
        if element.get("name") != name:
            continue
        if element.tag == "textarea":
            return "".join(element.itertext())
        if element.tag == "select":
            return next((o.get("value", o.text) for o in element.iter("option") if o.get("selected") is not None), "")
        if element.get("type") not in ("radio", "checkbox") or element.get("checked") is not None:
            return element.get("value")
    return None
