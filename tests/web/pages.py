"""What every page must be, whatever it shows."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from xml.etree.ElementTree import Element

import html5lib
from html5lib.html5parser import ParseError

from consult.web.dates import BOXES, written

LABELLED = ("input", "select", "textarea")
UNLABELLED_TYPES = ("hidden", "submit", "button")
TITLE = re.compile(r"<title>([^<]*)</title>")


@lru_cache(maxsize=16)
def parse(text: str) -> Element:
    """A whole page, parsed as strictly as HTML allows."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def parse_pieces(text: str) -> Element:
    """What htmx puts into a page."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parseFragment(text)


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
        return [*(faults_of_pieces(parser.parseFragment(text)) if pieces else faults(parser.parse(text)))]
    except ParseError as fault:
        return [f"{fault} at {parser.errors[-1][0]}"]


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
