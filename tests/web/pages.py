"""What every page must be, whatever it shows."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from xml.etree.ElementTree import Element

import html5lib

from consult.web.dates import BOXES, written

LABELLED = ("input", "select", "textarea")
UNLABELLED_TYPES = ("hidden", "submit", "button")


CHANCE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+)?|[\w-]{60,}={0,2}")
"""Ids, keys and tokens: what differs between two pages that are alike."""


def shape(text: str) -> bytes:
    """The digest of a page without what is of chance in it: two of one shape are sound, or neither is.

    What is of chance is told by its place among the others, so that what is equal stays equal and what differs differs.
    """
    seen: dict[str, str] = {}
    return hashlib.sha256(CHANCE.sub(lambda found: seen.setdefault(found[0], f"<{len(seen)}>"), text).encode()).digest()


@lru_cache(maxsize=16)
def parse(text: str) -> Element:
    """A whole page, parsed as strictly as HTML allows."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(text)


def parse_pieces(text: str) -> Element:
    """What htmx puts into a page."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parseFragment(text)


def faults(page: Element) -> Iterable[str]:
    """What is wrong with a page, in words."""
    if (headings := len(page.findall(".//h1"))) != 1:
        yield f"{headings} h1"
    if not "".join(page.find(".//title").itertext()).strip():  # type: ignore[union-attr]
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
    labelled = {e.get("for") for e in page.iter("label")}
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


def title(page: Element) -> str:
    return "".join(page.find(".//title").itertext())  # type: ignore[union-attr]


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
