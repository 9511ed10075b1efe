"""How a consultation ends: decisions and reasons at the gate, signing, ending without, in error, addenda."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.documents import signing
from consult.documents.words import at_or_on
from consult.proforma.answer import Answer
from consult.proforma.model import OTHER, Question, Reasons
from consult.record.consultation import OPEN, Consultation
from consult.record.ledger import KeyReused
from consult.record.store import NotOpen, NotYours, Refused
from consult.web import begun, forms
from consult.web.answers import answered, answered_elsewhere, save_all
from consult.web.context import inst, who
from consult.web.desk import bp, ended_context, found, note_of, own_key, place, screen_context
from consult.web.screen import Screen

SAID = ("decision", "reason", "told")
WHICH_REASON = "Choose a reason; for another reason say which in a few words."


@bp.post("/<consultation_id>/decisions")
def decide(consultation_id: str) -> Response | str | tuple[str, int]:
    """Record what the clinician decided about urgent answers, with the reason; the page shown must still be true."""
    consultation = found(consultation_id)
    screen = Screen.of(inst().store, consultation)
    on_sign_page = request.form.get("from") == "sign"
    named = [q for q in screen.proforma.questions if q.id in request.form.getlist("question") and screen.holds(q)]
    key = own_key()
    problem = "" if inst().store.wrote(key, consultation_id) else _why_not_decided(screen, named)
    if problem:
        template = "consultations/sign.html" if on_sign_page else "consultations/show.html"
        return render_template(template, **_to_read(consultation, decision_problem=problem)), 422
    content = {
        "questions": [q.id for q in named],
        "states": [(screen.answer(q) or Answer("")).state for q in named],
        "levels": [screen.path.level(q.id) for q in named],
        "decision": request.form.get("decision", ""),
        "reason": forms.typed("reason"),
        "told": forms.typed("told"),
    }
    if not inst().store.wrote(key, consultation_id):
        inst().store.note(consultation_id, "decision_recorded", content, key, who())
    elif (before := inst().store.written(key, consultation_id)) and any(before[n] != content[n] for n in SAID):
        raise KeyReused("This page was already sent with another decision; reload it and decide again.")
    if on_sign_page:
        return redirect(url_for("consultations.sign", consultation_id=consultation_id))
    anchor = f"q-{named[0].id}" if named else None
    return redirect(place(consultation_id, anchor))


def _why_not_decided(screen: Screen, named: list[Question]) -> str:
    """Why the decision sent is not recorded, in a sentence that says what to do; "" if it is."""
    if not named:
        return "Tick at least one answer that this decision is for."
    if changed := [q for q in named if request.form.get(f"shown.{q.id}") != screen.as_shown(q)]:
        return _what_changed(screen, changed)
    if request.form.get("decision", "") not in screen.proforma.decisions:
        return "Choose your decision from the list."
    return "" if forms.typed("reason") else "Give the reason for your decision in a few words."


def _what_changed(screen: Screen, changed: list[Question]) -> str:
    """What another window did meanwhile, beside what was decided here: both are shown, and neither is overwritten."""
    made = next((d for q in changed if (d := screen.decision(q)) is not None), None)
    if made is None:
        return "The answers changed since this page was made; read them again, then record your decision."
    ours = screen.proforma.decisions.get(request.form.get("decision", ""), "none chosen")
    return (
        f"In another window, {at_or_on(made.at, screen.consultation.started_at)}, the decision became: "
        f"{screen.proforma.decisions.get(made.decision, made.decision)}; {made.reason.rstrip('.')}. Yours was: {ours}; "
        f"{forms.typed('reason').rstrip('.') or 'no reason'}. Record yours again if it is to stand, or leave the other."
    )


@bp.post("/<consultation_id>/blank-reason")
def blank_reason(consultation_id: str) -> Response | tuple[str, int]:
    """One reason for all the emergency questions that stay blank."""
    screen = Screen.of(inst().store, consultation := found(consultation_id))
    reason = request.form.get("reason", "")
    text = forms.typed("text")
    back = url_for("consultations.sign", consultation_id=consultation_id)
    key = own_key()
    if inst().store.wrote(key, consultation_id):
        return redirect(back)
    if reason not in screen.proforma.reasons.blank or (reason == OTHER and not text):
        return render_template("consultations/sign.html", **_to_read(consultation, blank_problem=WHICH_REASON)), 422
    content = {"reason": reason, "text": text, "questions": [q.id for q in screen.gate().blank]}
    inst().store.note(consultation_id, "blank_emergencies_explained", content, key, who())
    return redirect(back)


@bp.route("/<consultation_id>/sign", methods=["GET", "POST"])
def sign(consultation_id: str) -> Response | str | tuple[str, int]:
    """Sign and lock; where something holds it, the page that lists what, with the note as it reads now."""
    consultation = found(consultation_id)
    held = changed = False
    if request.method == "POST" and consultation.state == OPEN:
        screen = Screen.of(inst().store, consultation)
        done = save_all(screen, key := own_key())
        if not done.whole or begun.anything(consultation):
            return answered(consultation, screen, key, done)
        try:
            shown = _note_known(found(consultation_id), screen, key)
            signing.sign(inst().store, consultation_id, who(), request.form.getlist("on_purpose"), f"{key}:sign", shown)
            return redirect(url_for("consultations.show", consultation_id=consultation_id))
        except NotOpen:  # the same page sent twice: it is signed
            return redirect(url_for("consultations.show", consultation_id=consultation_id))
        except signing.GateHolds as held_by:
            consultation, held, changed = found(consultation_id), True, isinstance(held_by, signing.NoteChanged)
    if consultation.state != OPEN:
        return redirect(url_for("consultations.show", consultation_id=consultation_id))
    page = render_template("consultations/sign.html", **_to_read(consultation, held=held, changed=changed))
    return (page, 409) if held else page


def _to_read(consultation: Consultation, **more: Any) -> dict[str, Any]:
    """What the page needs on which a note is read through before it is signed, with the digest of that note."""
    context = screen_context(consultation, **{"held": False, "changed": False, "blank_problem": "", **more})
    context["note_text"] = note_of(consultation)
    context["note_digest"] = signing.as_shown(context["note_text"])
    return context


def _note_known(now: Consultation, screen: Screen, key: str) -> str:
    """What the note must still be when it is signed: the one read through, else what the page sent makes of it."""
    if answered_elsewhere(now, screen, key):
        raise signing.NoteChanged("Answers changed since this page was made.")
    return request.form.get("shown") or signing.as_shown(note_of(now))


@bp.route("/<consultation_id>/abandon", methods=["GET", "POST"])
def abandon(consultation_id: str) -> Response | str | tuple[str, int]:
    """End without signing, with a reason."""
    consultation = found(consultation_id)
    reasons = _reasons_of(consultation).without_signing
    if (given := _reason_given(reasons)) is not None:
        key = own_key()
        if not inst().store.wrote(key, consultation_id):
            inst().store.abandon(consultation_id, *given, key, who())
        return redirect(url_for("home"))
    words = "The answers are kept and no case is made; the consultation counts as begun and not finished."
    return _ask_why(consultation, "End without signing", words, reasons)


@bp.route("/<consultation_id>/in-error", methods=["GET", "POST"])
def in_error(consultation_id: str) -> Response | str | tuple[str, int]:
    """Mark as entered in error: kept, shown as such, out of the audit."""
    consultation = found(consultation_id)
    reasons = _reasons_of(consultation).in_error
    if (given := _reason_given(reasons)) is not None:
        signing.enter_in_error(inst().store, consultation_id, *given, own_key(), who())
        return redirect(url_for("consultations.show", consultation_id=consultation_id))
    words = "Everything is kept and marked; the consultation leaves the audit."
    return _ask_why(consultation, "Mark as entered in error", words, reasons)


def _reasons_of(consultation: Consultation) -> Reasons:
    return inst().store.definition_of(consultation).proforma.reasons


def _reason_given(reasons: dict[str, str]) -> tuple[str, str] | None:
    """The reason sent and its words; None if none was sent, or "another" without saying which."""
    reason, text = request.form.get("reason", ""), forms.typed("text")
    known = request.method == "POST" and reason in reasons
    return (reason, text) if known and (reason != OTHER or text) else None


def _ask_why(consultation: Consultation, title: str, words: str, reasons: dict[str, str]) -> str | tuple[str, int]:
    asked = {"title": title, "button": title, "words": words, "reasons": reasons}
    problem = WHICH_REASON if request.method == "POST" else ""
    wrong = "text" if request.form.get("reason") in reasons else "reason"
    context = {**ended_context(consultation), **asked, "problem": problem, "wrong": wrong}
    page = render_template("consultations/end.html", **context)
    return (page, 422) if problem else page


@bp.route("/<consultation_id>/addendum", methods=["GET", "POST"])
def addendum(consultation_id: str) -> Response | str | tuple[str, int]:
    """Add to a signed consultation; one answer may also be corrected in the audit record."""
    consultation = found(consultation_id)
    context = ended_context(consultation)
    screen: Screen = context["screen"]
    choosing = request.form.get("act") == "question"
    question = screen.proforma.by_id.get(request.form.get("chosen" if choosing else "question", ""))
    problem = wrong = ""
    if request.method == "POST" and not choosing:
        try:
            _add(consultation, screen, question)
            return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor="addenda"))
        except (NotOpen, NotYours, KeyReused):
            raise  # what came too late is told by the page that every late one gets
        except Refused as refusal:
            problem, wrong = str(refusal), refusal.field or "main"
    given = forms.all_as_sent(question, request.form, screen.proforma) if problem and question else None
    asked = {"question": question, "problem": problem, "wrong": wrong, "given": given}
    page = render_template("consultations/addendum.html", **asked, **context)
    return (page, 422) if problem else page


def _not_one(question: Question) -> str:
    """Why what was sent is not one correction, in a sentence that says what to do; "" if it is."""
    several = forms.said_at_once(question, request.form) + (request.form.get("blank") == "yes")
    if several > 1:
        return (
            "Several corrections were given that can't all be true; leave the answer, the reason why it was not "
            'asked, or "It was not recorded" ("Show this question" clears them all).'
        )
    return "" if several else 'Give the corrected answer, or tick "It was not recorded".'


def _add(consultation: Consultation, screen: Screen, question: Question | None) -> None:
    text, why = forms.typed("text"), forms.typed("why")
    chosen = request.form.get("chosen", "")
    if chosen != (question.id if question else ""):
        sentence = 'Press "Show this question" and give the corrected answer, or choose "No answer is corrected".'
        raise Refused(sentence, "chosen")
    if not text or not why:
        raise Refused("Write the addendum and why it is made.", "why" if text else "text")
    corrected: dict[str, Answer | None] = {}
    if question is not None:
        sent = forms.read(question, screen.path, request.form, None)
        if problem := sent.error or _not_one(question):
            raise Refused(problem, "correction")
        corrected[question.id] = sent.answer
    signing.add_addendum(inst().store, consultation.id, text, why, corrected, own_key(), who())
