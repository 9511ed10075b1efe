"""The paper twin: a version of the proforma as a form to be filled in by hand while the computers are down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from consult.documents import saved_page
from consult.documents.conditions import in_words, label_of
from consult.documents.leaflet import Leaflet
from consult.documents.words import ATTENDANCE, uk_date
from consult.proforma.load import Definition
from consult.proforma.model import HOLDING_LEVELS, Panel, Proforma, Question
from consult.record.settings import ROUTE_LABELS, Site

MOST_COPIES: Final = 50
LEVELS: Final = {"U0": "Emergency now", "U1": "Same day"}
ARRANGEMENT: Final = ("What changes", "Starts", "Ends", "Review", "If no end date, why")


class Text(Struct, frozen=True):
    """The text kept for an urgent answer: its level, for which answers, and whom to ring."""

    level: str
    given: str
    text: str
    routes: str


class Box(Struct, frozen=True):
    """One thing to tick, and in words when it applies ("": always)."""

    label: str
    only_if: str = ""


class Item(Struct, frozen=True):
    """One question as it stands on paper."""

    number: int
    question: Question
    only_if: str
    boxes: list[Box]
    not_asked: str
    own_reasons: list[str]
    texts: list[Text]


class Form(Struct, frozen=True):
    """What all copies of a version have in common."""

    definition: Definition
    items: dict[str, Item]
    sites: list[Site]
    leaflets: list[Leaflet]
    draft: bool


def form_of(definition: Definition, sites: Iterable[Site], leaflets: Iterable[Leaflet], draft: bool) -> Form:
    """The form of a version, with the telephone numbers of these sites and the leaflets in use."""
    proforma = definition.proforma
    asked = [q for section in proforma.sections for q in proforma.in_section(section.id)]
    numbers = {question.id: number for number, question in enumerate(asked, 1)}
    items = {question.id: _item(question, proforma, numbers) for question in asked}
    return Form(definition, items, list(sites), list(leaflets), draft)


def _item(question: Question, proforma: Proforma, numbers: dict[str, int]) -> Item:
    only_if = in_words(question.show_if, proforma, numbers) if question.show_if else ""
    boxes = [Box(o.label, in_words(o.show_if, proforma, numbers) if o.show_if else "") for o in question.options]
    boxes += [Box(question.state_label(s)) for s in question.offered_states() if s != "not_asked"]
    not_asked = question.state_label("not_asked") if "not_asked" in question.offered_states() else ""
    urgent = [p for p in question.panels if p.level in HOLDING_LEVELS]
    texts = [_text(panel, question, proforma, numbers) for panel in urgent]
    return Item(numbers[question.id], question, only_if, boxes, not_asked, list(question.reasons.values()), texts)


def _text(panel: Panel, question: Question, proforma: Proforma, numbers: dict[str, int]) -> Text:
    given = ", ".join(label_of(question, code) for code in panel.for_)
    also = f", and {in_words(panel.when, proforma, numbers)} (or that is not known)" if panel.when else ""
    return Text(LEVELS[panel.level], given + also, panel.text, ", ".join(ROUTE_LABELS[r] for r in panel.route))


def html(form: Form, references: list[str], stylesheet: str = "", back: str = "") -> str:
    """The form once for each reference, as one page to be printed on A4.

    `stylesheet` is the address of the style; without it the style stands in the page, which then needs nothing else.
    """
    template = saved_page.templates().get_template("paper.html")
    return template.render(
        form=form,
        proforma=form.definition.proforma,
        references=references,
        stylesheet=stylesheet,
        style="" if stylesheet else saved_page.static("paper.css"),
        back=back,
        attendance=ATTENDANCE.values(),
        route_labels=ROUTE_LABELS,
        arrangement=ARRANGEMENT,
        uk_date=uk_date,
    )
