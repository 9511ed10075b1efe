"""Each kind of step as a sentence for people."""

from __future__ import annotations

from typing import Any

from consult.documents.leaflet import FORMAT_LABELS
from consult.documents.words import GIVEN_AS, describe, held
from consult.proforma.answer import Answer
from consult.proforma.model import Proforma
from consult.proforma.wording import inside
from consult.record.ledger import Step
from consult.record.release import EVENT_WORDS
from consult.web.context import name_of

SENTENCES = {
    "consultation_started": "Consultation begun",
    "consultation_taken_over": "Taken over",
    "consultation_handed_over": "Handed over",
    "consultation_viewed": "Looked at",
    "paper_viewed": "Looked at a paper",
    "decision_recorded": "Decision recorded",
    "blank_emergencies_explained": "Reason given for blank emergency questions",
    "note_copied": "Note copied",
    "letter_printed": "Referral letter printed",
    "report_made": "Report to the manager made final",
    "report_consent_recorded": "Report to the manager: what the employee wishes, after signing",
    "report_copy_given": "Report to the manager: copy given to the employee",
    "report_agreed": "Report to the manager: the employee has read it and agrees",
    "report_window_ended": "Report to the manager: the time to answer has passed",
    "report_correction_asked": "Report to the manager: the employee asked for a correction",
    "report_correction_answered": "Report to the manager: correction answered",
    "report_released": "Report to the manager released",
    "leaflet_printed": "Leaflet printed",
    "leaflet_given": "Leaflet given",
    "leaflet_discussed": "Leaflet discussed",
    "leaflet_not_given": "Leaflet not given after all",
    "leaflet_need_unmet": "A need of the employee was not met",
    "consultation_signed": "Signed and locked",
    "consultation_abandoned": "Ended without signing",
    "entered_in_error": "Marked as entered in error",
    "addendum_added": "Addendum",
    "case_corrected": "Audit record corrected",
    "decision_followed_up": "Outcome of an urgent decision recorded",
    "adjustment_reviewed": "Review of an adjustment recorded",
}


def step_in_words(step: Step, proforma: Proforma) -> str:
    """One step in words, with the answer it gave."""
    if step.content is None:
        return "Redacted"
    if step.kind == "decision_recorded":
        return _decision(step.content, proforma)
    question = proforma.by_id.get(step.question)
    if question is None or not step.kind.startswith("answer_"):
        return document_label(step)
    asked = question.topic
    if step.kind == "answer_removed":
        return f"{asked}: answer removed"
    answer = Answer(step.content["state"], step.content["value"], step.content["reason"])
    together = " (No to the rest)" if step.content["via"] == "group" else ""
    return f"{asked}: {describe(question, answer, proforma)}{together}"


def _decision(content: dict[str, Any], proforma: Proforma) -> str:
    """What was decided, and about which answers."""
    about = "; ".join(q.topic for q in proforma.in_order(content["questions"]))
    label = proforma.decisions.get(content["decision"], content["decision"])
    return f"{SENTENCES['decision_recorded']}: {label}. About: {about}" if about else label


def document_label(step: Step) -> str:
    """A step of a document or an act in words."""
    words = SENTENCES.get(step.kind, step.kind.replace("_", " ").capitalize())
    content = step.content or {}
    if step.kind == "report_consent_recorded" and content:
        words += f": {EVENT_WORDS[content['event']].lower()}"
    if step.kind == "report_correction_answered" and content:
        words += ": made" if content["made"] else ": the opinion stays"
    if step.kind == "consultation_started" and content.get("paper"):
        words = f"Held {held(content, step.at)}"
    if step.kind == "consultation_taken_over" and content:
        words += f" from {name_of(content['from'])}: {content['reason']}"
    if step.kind == "consultation_handed_over" and content:
        words += f" from {name_of(content['from'])} to {name_of(content['to'])}: {content['reason']}"
    words += GIVEN_AS.get(content.get("form", ""), "")
    if step.kind == "leaflet_printed" and (label := FORMAT_LABELS.get(content.get("format", ""))):
        words += f" ({inside(label)})"
    return words
