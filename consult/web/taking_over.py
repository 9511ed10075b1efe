"""A colleague's open consultation taken over, and what whoever held it is told when something comes from their page."""

from __future__ import annotations

from typing import Final

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.documents.words import describe, when
from consult.proforma.answer import Answer
from consult.proforma.load import Definition
from consult.proforma.model import Proforma, Question
from consult.record import reading
from consult.record.consultation import OPEN, Consultation
from consult.record.ledger import KeyReused
from consult.record.reading import Need
from consult.record.store import NotOpen, NotYours, Refused
from consult.web import begun, forms, needing
from consult.web.answers import entered
from consult.web.context import inst, name_of, person, who
from consult.web.desk import bp, held_before, own_key, screen_context, viewed_employee
from consult.web.screen import Screen

TYPED = {
    "decision": "Your decision",
    "reason": "Reason",
    "told": "Who was told",
    "text": "In words",
    "why": "Why",
}
DECIDED: Final = ("decision", "reason", "told")
NEED_UNMET: Final = "consultations.need_unmet"
"""What is pressed about a need that was not met: its reason is none of a decision."""


@bp.route("/<consultation_id>/take-over", methods=["GET", "POST"])
def take_over(consultation_id: str) -> Response | str | tuple[str, int]:
    """Take over a consultation that another clinician holds open: said on purpose, with a reason."""
    consultation = inst().store.consultation(consultation_id)
    if consultation is None:
        abort(404)
    show = url_for("consultations.show", consultation_id=consultation_id)
    if consultation.owner == person().id:
        return redirect(show)
    if consultation.state != OPEN:
        raise NotOpen("This consultation has ended, so nobody takes it over; the employee's page lists it.")
    problem = ""
    if request.method == "POST":
        reason = forms.typed("reason")
        if reason:
            inst().store.take_over(consultation_id, request.form.get("from", ""), reason, own_key(), who())
            return redirect(show)
        problem = "Say in a few words why you take it over."
    viewed_employee(consultation.started["employee"])
    context = screen_context(consultation, problem=problem, holder=name_of(consultation.owner))
    page = render_template("consultations/take_over.html", **context)
    return (page, 422) if problem else page


def not_taken(error: Refused) -> Response | None:
    """The reply to what came too late: why it was not taken, and all of it to be copied; None if it was no such thing.

    What was typed is never lost: with htmx it stays on the page it was typed on, else this reply shows it.
    """
    consultation_id = (request.view_args or {}).get("consultation_id", "")
    consultation = inst().store.consultation(consultation_id) if consultation_id else None
    if consultation is None or isinstance(error, KeyReused):
        return None
    if consultation.owner != person().id and not held_before(consultation):
        return None
    screen = Screen.of(inst().store, consultation)
    htmx = bool(request.headers.get("HX-Request"))
    given = [(q, _as_given(q, answer, screen.proforma)) for q, answer in entered(screen, everything=htmx)]
    page = render_template(
        "consultations/not_taken_pieces.html" if htmx else "consultations/not_taken.html",
        sentence=_why(consultation, error),
        mine=consultation.owner == person().id,
        still_open=consultation.state == OPEN,
        given=given,
        typed=[(label, _in_words(screen, text)) for label, text in _typed(consultation, screen)],
        consultation=consultation,
        sent=request.method == "POST",
    )
    return make_response(page, 409 if htmx or isinstance(error, NotOpen) else 403)


def _typed(consultation: Consultation, screen: Screen) -> list[tuple[str, str]]:
    """What was typed for the buttons of the page, each with its label."""
    labels, decided = TYPED | report_lines(inst().store.definition_of(consultation)), _decided(screen.proforma)
    left_out = {*(DECIDED if decided else ()), *(("reason",) if request.endpoint == NEED_UNMET else ())}
    plain = [(labels[name], request.form.get(name, "").strip()) for name in labels if name not in left_out]
    return [*decided, *_needs(consultation), *((label, text) for label, text in plain if text)]


def _decided(proforma: Proforma) -> list[tuple[str, str]]:
    """What was typed of decisions on the talk's page, each with the question that it is about."""
    about = [(question, name) for question in proforma.in_order(begun.decisions()) for name in DECIDED]
    typed_in = [(f"{TYPED[name]}, {q.topic}", begun.of_decision(q.id, name).strip()) for q, name in about]
    return [(label, text) for label, text in typed_in if text]


def _needs(consultation: Consultation) -> list[tuple[str, str]]:
    """What was typed of how the employee needs to read, and of a need that was not met, in the words of the forms."""
    begun_there, words = begun.of_reading(consultation), needing.words()
    found = list[tuple[str, str]]()
    if begun.READING in begun_there:
        said = begun.reading(None, again=True)
        answer = reading.ANSWERS.get(said.answer, "")
        need = words.words(Need("some", said.size, said.language, said.easy_read, said.others))
        found = [("How the employee needs to read", "; ".join(filter(None, (answer, need))) or "Nothing chosen")]
    if codes := begun.of_unmet("needs"):
        found.append(("A need that is not met", "; ".join(map(words.word, codes))))
    titles = {leaflet.id: leaflet.title for leaflet in inst().leaflets.values()}
    found += [("Leaflet", titles.get(id_, id_)) for id_ in begun.of_unmet("leaflet") if id_]
    return found + [("Why it is not met", words.reasons.get(code, code)) for code in begun.of_unmet("reason") if code]


def _as_given(question: Question, answer: Answer | None, proforma: Proforma) -> str:
    """An answer in words; one that could not be taken anyway, such as no date, as it was typed."""
    try:
        return describe(question, answer, proforma)
    except ValueError:
        value = answer.value if answer else ""
        return ", ".join(str(part) for part in value.values() if part) if isinstance(value, dict) else str(value)


def report_lines(definition: Definition) -> dict[str, str]:
    """The lines typed for the kind of report that was sent, by the name of their field, with their labels."""
    kind = definition.reports.by_id(request.form.get("kind", ""))
    return {f"w.{line.id}": line.label for line in kind.lines} if kind else {}


def _in_words(screen: Screen, text: str) -> str:
    return screen.proforma.decisions.get(text, text)


def _why(consultation: Consultation, error: Refused) -> str:
    if not isinstance(error, NotYours) or not consultation.taken_over:
        return str(error)
    step = next(s for s in reversed(consultation.taken_over) if s.content and s.content["from"] == person().id)
    said = step.content or {}
    reason = said["reason"].rstrip(".")
    if "to" in said:
        how = f"{name_of(step.actor)} handed this consultation over from you to {name_of(said['to'])}"
    else:
        how = f"{name_of(step.actor)} took this consultation over from you"
    return f"{how} on {when(step.at)}. Reason given: {reason}."
