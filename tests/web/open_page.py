"""The open page of a consultation as a browser with htmx holds it, and random acts of the hand on it."""

from __future__ import annotations

import random
import re
import uuid
from typing import Any

import lxml.html
from lxml.html import HtmlElement
from visiting import Visitor

from consult.proforma.model import Proforma, Question

ONCE_ONLY = re.compile(r'(name="(?:key|csrf_token)" value=")[^"]+|\b(?:[0-9a-f-]{36}-\d{4}|[0-9a-f]{32})')
"""Keys and tokens, which every drawing makes anew."""
PART = re.compile(r"(slot|rail|rest|heading)-|left$|parked$|banner-answers$|report-(state|act)$")
PLAIN = {"finding", "choice", "choices", "number", "text"}


class OpenPage:
    """The page of a consultation as a browser with htmx holds it."""

    def __init__(self, nurse: Visitor, consultation: str) -> None:
        self.client, self.address = nurse.client, f"/consultations/{consultation}"
        self.headers = {"X-CSRFToken": nurse.csrf(), "HX-Request": "true"}
        self.page = self.anew()
        self.look()

    def anew(self) -> HtmlElement:
        return lxml.html.fromstring(self.client.get(self.address).text)

    def look(self) -> None:
        """Note where everything is."""
        self.parts = {str(e.get("id")): e for e in self.page.xpath("//*[@id]")}

    def at(self, id_: str) -> HtmlElement:
        return self.parts[id_]

    def known(self, question: str) -> str:
        return str(self.at(f"state-{question}").find("input").get("value"))

    def send(self, path: str, fields: dict[str, Any], own: str = "") -> int:
        """Send what a control sends, and put the pieces of the reply where htmx puts them."""
        fields |= {"key": uuid.uuid4().hex}
        reply = self.client.post(f"{self.address}/{path}", data=fields, headers=self.headers)
        assert reply.status_code in (200, 422), reply.text[:300]
        for piece in lxml.html.fragments_fromstring(reply.text, no_leading_text=False):
            if not isinstance(piece, HtmlElement):
                assert not piece.strip()
            elif piece.attrib.pop("data-hx-swap-oob", ""):
                fill(self.at(piece.get("id")), piece)
            else:
                assert piece.get("id") == f"state-{own}"
                piece.tail = None
                old = self.at(piece.get("id"))
                old.getparent().replace(old, piece)
        self.look()
        return int(reply.status_code)


def fill(place: HtmlElement, piece: HtmlElement) -> None:
    for child in list(place):
        place.remove(child)
    place.text = piece.text
    place.extend(list(piece))


def chosen(control: HtmlElement, values: list[str]) -> None:
    """The control in use as the hand left it: no reply draws it anew."""
    for box in control.iter("input"):
        if box.get("type") in ("radio", "checkbox"):
            box.attrib.pop("checked", None)
            if box.get("value") in values:
                box.set("checked", "")
    kept = [o for select in control.iter("select") if select.get("name", "").startswith("a.") for o in select]
    for option in kept:  # a reason may be called as an option is, and stands in a list of its own
        option.attrib.pop("selected", None)
        if values and (option.get("value") or option.text) in values:
            option.set("selected", "")
    for text in control.iter("textarea"):
        text.text = values[0] if values else None


def drawn(page: HtmlElement) -> dict[str, str]:
    """The parts of a page that pieces are put into, and what is in none of them, as they stand there."""
    parts = {id_: e for e in page.xpath("//*[@id]") if PART.match(id_ := e.get("id"))}
    found = {id_: raw(e) for id_, e in parts.items()}
    for e in parts.values():
        fill(e, lxml.html.Element("p"))
    return found | {"the rest of the page": raw(page.find("body"))}


def unlike(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The parts that two pages do not hold alike, whatever drew them."""
    as_they_stand = [id_ for id_ in one.keys() | other.keys() if one.get(id_) != other.get(id_)]
    return sorted(
        id_
        for id_ in as_they_stand
        if not (one.keys() & other.keys() >= {id_} and plain(one[id_]) == plain(other[id_]))
    )


def raw(element: HtmlElement) -> str:
    text: str = lxml.html.tostring(element, with_tail=False, encoding="unicode")
    return text


def plain(text: str) -> str:
    """A part without the blanks around its elements, keys and tokens."""
    close = re.sub(r">\s+", ">", re.sub(r"\s+<", "<", text))
    return " ".join(ONCE_ONLY.sub(r"\1-", close).split())


def some_values(question: Question, control: HtmlElement, luck: random.Random) -> list[str]:
    """What somebody may choose of a control as it stands; an answer that opens or closes something more often."""
    if question.kind == "text":
        return [f"In words {luck.randrange(1000)}"]
    if question.kind == "number":
        return [str(luck.randint(question.min or 0, question.max or 0))]
    codes = [box.get("value") for box in control.iter("input") if box.get("type") in ("radio", "checkbox")]
    if question.kind == "choices":
        together = [c for c in codes if (o := question.option(c)) and not o.alone]
        return luck.sample(together, luck.randint(1, min(3, len(together)))) if together else codes[:1]
    return [luck.choice(codes)]


def act(open_page: OpenPage, proforma: Proforma, moving: set[str], luck: random.Random) -> str:
    """One random act of the hand on the page as it stands."""
    shown = [q for q in proforma.asked if q.kind in PLAIN and len(open_page.at(f"slot-{q.id}"))]
    kind = luck.random()
    if kind < 0.1:
        block = luck.choice([b for b in proforma.blocks if b.rest])
        verb = luck.choice(("rest", "undo"))
        known = {f"seen.{q.id}": open_page.known(q.id) for q in proforma.in_block(block.id) if q in shown}
        open_page.send(f"blocks/{block.id}/{verb}", known if verb == "rest" else {})
        return f"{verb} of {block.id}"
    question = luck.choice(shown if kind < 0.5 else [q for q in shown if q.id in moving])
    control = open_page.at(f"slot-{question.id}").find_class("q__control")[0]
    sent: dict[str, Any] = {f"seen.{question.id}": open_page.known(question.id)}
    answered = bool(open_page.at(f"state-{question.id}").find_class("link-button"))
    values = [] if answered and kind < 0.2 else some_values(question, control, luck)
    sent |= {f"a.{question.id}": values} if values else {"remove": question.id}
    chosen(control, values)
    open_page.send("answers", sent, question.id)
    return f"{question.id}: {values or 'removed'}"


def read_by_rules(proforma: Proforma) -> set[str]:
    """The questions whose answers move others: named in a rule, or findings of a block with the gesture."""
    rules = " ".join(repr((q.show_if, q.one_by_one_if, [o.show_if for o in q.options])) for q in proforma.questions)
    return {q.id for q in proforma.questions if f"'{q.id}'" in rules}
