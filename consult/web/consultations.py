"""The consultation: starting it, the screen, one address for every answer, signing, and what comes after."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.audit.case import age_band
from consult.audit.measures import outcomes
from consult.documents import letter as letters
from consult.documents import report as reports
from consult.documents import signing
from consult.documents.note import note
from consult.documents.words import describe
from consult.proforma.answer import Answer
from consult.proforma.model import Block, Question
from consult.record import identity
from consult.record.consultation import OPEN, Consultation, adjustments_now, fold
from consult.record.ledger import steps
from consult.record.settings import Site, provider, sites
from consult.record.store import Conflict, Refused, Start
from consult.web import forms
from consult.web.context import content_is_approved, inst, person, who
from consult.web.screen import Screen

bp = Blueprint("consultations", __name__, url_prefix="/consultations")
ABANDON_REASONS = {
    "employee_left": "The employee ended it",
    "sent_as_emergency": "Sent as an emergency before it could be finished",
    "interrupted": "Interrupted and not taken up again",
    "not_back_pain": "It was not about back pain",
    "other": "Another reason",
}
ERROR_REASONS = {
    "wrong_person": "Recorded for the wrong person",
    "test": "Entered as a trial",
    "other": "Another reason",
}
BLANK_REASONS = {
    "third_person_present": "A third person was present",
    "remote": "By phone or video",
    "asked_to_stop": "The employee asked to stop",
    "out_of_time": "Out of time",
    "other": "Another reason",
}


def found(consultation_id: str) -> Consultation:
    """The consultation, for the clinician who holds it; 404 for anyone else's."""
    consultation = inst().store.consultation(consultation_id)
    if consultation is None or consultation.owner != person().id:
        abort(404)
    return consultation


def employee_of(consultation: Consultation) -> identity.Employee | None:
    """Who the consultation is with."""
    return identity.employee(inst().db.read(), consultation.started["employee"])


def site_of(consultation: Consultation) -> Site:
    """The site of the consultation, with its routes."""
    code = consultation.started["site"]
    return sites(inst().db.read()).get(code, Site(code, code))


@bp.post("/start")
def start() -> Response | str:
    """Begin a consultation with an employee."""
    conn = inst().db.read()
    employee = identity.employee(conn, request.form.get("employee", ""))
    site = sites(conn).get(person().site)
    attendance = request.form.get("attendance", "")
    if employee is None or site is None:
        abort(404)
    if attendance not in ("in_person", "video", "telephone"):
        return redirect(url_for("employees.show", employee_id=employee.id, problem="attendance"))
    if why_not := inst().why_no_live(site.code):
        return render_template("refused.html", title="No live consultation can be started", sentence=why_not)
    held_on = inst().store.clock().astimezone().date()
    start = Start(
        employee=employee.id,
        site=site.code,
        provider=provider(conn),
        attendance=attendance,
        age_band=_age_band(employee, held_on),
    )
    consultation_id = inst().store.start(start, who(), request.form.get("key", ""))
    return redirect(url_for("consultations.show", consultation_id=consultation_id))


def _age_band(employee: identity.Employee, held_on: Any) -> str:
    return age_band(employee.date_of_birth, held_on)


@bp.get("/<consultation_id>")
def show(consultation_id: str) -> Response | str:
    """The screen of an open consultation, or the record of one that has ended."""
    consultation = found(consultation_id)
    viewed(consultation)
    if consultation.state != OPEN:
        return render_template("consultations/ended.html", **ended_context(consultation))
    return render_template("consultations/show.html", **screen_context(consultation))


def viewed(consultation: Consultation) -> None:
    """Record who looked: one step for each consultation in a visit."""
    looked = session.get("looked", [])
    if consultation.id not in looked:
        inst().store.note_after(consultation.id, "consultation_viewed", {}, str(uuid.uuid4()), who())
        session["looked"] = [*looked[-30:], consultation.id]


def screen_context(consultation: Consultation, **more: Any) -> dict[str, Any]:
    """What the screen's templates need."""
    screen = Screen.of(inst().store, consultation)
    return {
        "screen": screen,
        "consultation": consultation,
        "employee": employee_of(consultation),
        "site": site_of(consultation),
        "headings": headings(consultation),
        "clinician": person(),
        "key": str(uuid.uuid4()),
        "conflicts": {},
        "errors": {},
        "blank_reasons": BLANK_REASONS,
        "leaflets": inst().leaflets,
        "report_stands": report_stands(consultation, screen),
        "note_text": None,
        **more,
    }


def report_stands(consultation: Consultation, screen: Screen) -> bool:
    """Whether the finalised report holds the adjustments as they are now."""
    return consultation.report is not None and consultation.report["adjustments"] == adjustments_now(screen.path)


def headings(consultation: Consultation) -> list[tuple[str, str, str]]:
    """Each national heading with what the audit would see now: recorded, still open, or does not apply."""
    measures = inst().measures
    found_now = outcomes(measures, inst().store.library.current.dataset, signing.case_of(inst().store, consultation))
    words = {"met": "recorded", "not_applicable": "does not apply so far"}
    return [(m, measures.by_id[m].title, words.get(found_now[m], "still open")) for m in measures.national]


@bp.post("/<consultation_id>/answers")
def answers(consultation_id: str) -> Response | str | tuple[str, int]:
    """The one address of every answer: any number of questions, with htmx one, without JavaScript a section."""
    before = found(consultation_id)
    screen = Screen.of(inst().store, before)
    key = request.form.get("key") or str(uuid.uuid4())
    conflicts: dict[str, tuple[Answer | None, Conflict]] = {}
    errors: dict[str, str] = {}
    for question in forms.questions_sent(screen.proforma, request.form):
        sent = _sent(question, screen)
        if sent.error:
            errors[question.id] = sent.error
            continue
        try:
            _save(consultation_id, sent, _shown(before, sent), key)
        except Conflict as conflict:
            conflicts[question.id] = (sent.answer, conflict)
    return _answered(before, screen, key, conflicts, errors)


def _sent(question: Question, screen: Screen) -> forms.Sent:
    seen = request.form.get(f"seen.{question.id}", "0")
    shown = _at(screen.consultation, question.id, int(seen) if seen.isdigit() else 0)
    if request.form.get("remove") == question.id:
        return forms.Sent(question, None, int(seen) if seen.isdigit() else 0)
    return forms.read(question, screen.proforma, request.form, shown)


def _at(consultation: Consultation, question_id: str, seq: int) -> Answer | None:
    """The answer a page knew: the one that the step with this number gave."""
    records = consultation.history.get(question_id, [])
    return next((r.answer for r in records if r.seq == seq), None)


def _shown(consultation: Consultation, sent: forms.Sent) -> Answer | None:
    return _at(consultation, sent.question.id, sent.seen)


def _save(consultation_id: str, sent: forms.Sent, shown: Answer | None, key: str) -> None:
    """Save what differs from what the page showed; an untouched question is never a step."""
    if sent.answer == shown and request.form.get("choose") != sent.question.id:
        return
    seen = sent.seen
    question_key = f"{key}:{sent.question.id}"
    inst().store.save(consultation_id, sent.question, sent.answer, seen, question_key, "single", who())


def _answered(
    before: Consultation,
    screen: Screen,
    key: str,
    conflicts: dict[str, tuple[Answer | None, Conflict]],
    errors: dict[str, str],
) -> Response | str | tuple[str, int]:
    if request.headers.get("HX-Request"):
        asked = forms.questions_sent(screen.proforma, request.form)
        status = 409 if conflicts else 422 if errors else 200
        return fragments(before.id, key, asked, conflicts, errors), status
    after = found(before.id)
    if conflicts or errors:
        context = screen_context(after, conflicts=conflicts, errors=errors)
        sent = {q: forms.as_sent(screen.proforma.by_id[q], request.form) for q in errors}
        context["screen"] = replace(context["screen"], unsaved={q: a for q, a in sent.items() if a})
        return render_template("consultations/show.html", **context), 409 if conflicts else 422
    anchor = request.form.get("section", "")
    return redirect(url_for("consultations.show", consultation_id=before.id, _anchor=f"section-{anchor}"))


def fragments(
    consultation_id: str,
    key: str,
    asked: list[Question],
    conflicts: dict[str, tuple[Answer | None, Conflict]] | None = None,
    errors: dict[str, str] | None = None,
) -> str:
    """What this request changed on the screen, as pieces that htmx puts in place.

    The state before is the fold without the steps of this request's key: what another request changed meanwhile is
    that one's to show. The control in use is never among the pieces.
    """
    found_steps = list(steps(inst().db.read(), consultation=consultation_id))
    context = screen_context(fold(consultation_id, found_steps), conflicts=conflicts or {}, errors=errors or {})
    now: Screen = context["screen"]
    own = [s for s in found_steps if s.key.startswith(key)]
    before = Screen.of(inst().store, fold(consultation_id, [s for s in found_steps if not s.key.startswith(key)]))
    touched = {s.question for s in own} - {q.id for q in asked}
    staying = [q for q in now.proforma.questions if now.on(q) and before.on(q)]
    moved = [q for q in now.proforma.questions if now.on(q) != before.on(q)]
    opened_before = headings(before.consultation)
    redrawn = [q for q in staying if q not in asked and (q.id in touched or _options(before, q) != _options(now, q))]
    return render_template(
        "consultations/fragments.html",
        asked=asked,
        moved=[*moved, *redrawn],
        panels=[q for q in staying if q.panels and _panel_of(before, q) != _panel_of(now, q)],
        rail=[t for t, old in zip(now.tallies(), before.tallies(), strict=True) if t != old],
        rests=[b for b in now.proforma.blocks if b.rest and _rest_of(before, b) != _rest_of(now, b)],
        parking=now.parked() != before.parked(),
        opened=[h for h in context["headings"] if h not in opened_before],
        **context,
    )


def _panel_of(screen: Screen, question: Question) -> object:
    return (screen.panel(question), screen.decision(question), screen.holds(question))


def _rest_of(screen: Screen, block: Block) -> tuple[int, int, int]:
    items = screen.rest(block)
    return len(items), len(screen.undo(block)), screen.blank_left(block, items)


def _options(screen: Screen, question: Question) -> list[str]:
    return [o.code for o in question.options if screen.path.offers(o)]


@bp.post("/<consultation_id>/blocks/<block_id>/rest")
def rest(consultation_id: str, block_id: str) -> Response | str:
    """ "No to the rest" of a block."""
    return _gesture(consultation_id, block_id, undo=False)


@bp.post("/<consultation_id>/blocks/<block_id>/undo")
def undo_rest(consultation_id: str, block_id: str) -> Response | str:
    """Take back "No to the rest"."""
    return _gesture(consultation_id, block_id, undo=True)


def _gesture(consultation_id: str, block_id: str, undo: bool) -> Response | str:
    before = Screen.of(inst().store, found(consultation_id))
    if block_id not in {b.id for b in before.proforma.blocks}:
        abort(404)
    key = request.form.get("key") or str(uuid.uuid4())
    act = inst().store.undo_rest if undo else inst().store.rest
    act(consultation_id, block_id, key, who())
    if request.headers.get("HX-Request"):
        return fragments(consultation_id, key, [])
    return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor=f"block-{block_id}"))


@bp.post("/<consultation_id>/decisions")
def decide(consultation_id: str) -> Response | str:
    """Record what the clinician decided about urgent answers, with the reason."""
    before = Screen.of(inst().store, found(consultation_id))
    by_id = before.proforma.by_id
    named = [by_id[q] for q in request.form.getlist("question") if q in by_id and before.holds(by_id[q])]
    decision = request.form.get("decision", "")
    reason = forms.typed("reason")
    back = url_for("consultations.show", consultation_id=consultation_id, _anchor=f"q-{named[0].id}" if named else None)
    back = (
        url_for("consultations.sign", consultation_id=consultation_id) if request.form.get("from") == "sign" else back
    )
    if not named or decision not in before.proforma.decisions or not reason:
        return refused("Nothing was recorded: choose a decision and give its reason in a few words.", back)
    states = [(before.answer(q) or Answer("")).state for q in named]
    content = {
        "questions": [q.id for q in named],
        "states": states,
        "levels": [before.path.level(q.id) for q in named],
        "decision": decision,
        "reason": reason,
        "told": forms.typed("told"),
    }
    inst().store.note(consultation_id, "decision_recorded", content, _key(), who())
    return redirect(back)


def _key() -> str:
    return request.form.get("key") or str(uuid.uuid4())


def refused(sentence: str, back: str, title: str = "Nothing was recorded") -> Response:
    """A page that says in one sentence what happened and what to do, and leads back."""
    page = render_template("refused.html", title=title, sentence=sentence, back=back)
    return make_response(page, 422)


@bp.post("/<consultation_id>/blank-reason")
def blank_reason(consultation_id: str) -> Response:
    """One reason for all the emergency questions that stay blank."""
    screen = Screen.of(inst().store, found(consultation_id))
    reason = request.form.get("reason", "")
    text = forms.typed("text")
    back = url_for("consultations.sign", consultation_id=consultation_id)
    if reason not in BLANK_REASONS or (reason == "other" and not text):
        return refused("Choose a reason; for another reason say which in a few words.", back)
    content = {"reason": reason, "text": text, "questions": [q.id for q in screen.gate().blank]}
    inst().store.note(consultation_id, "blank_emergencies_explained", content, _key(), who())
    return redirect(back)


@bp.route("/<consultation_id>/sign", methods=["GET", "POST"])
def sign(consultation_id: str) -> Response | str | tuple[str, int]:
    """Sign and lock; where something holds it, the page that lists what."""
    consultation = found(consultation_id)
    held = False
    if request.method == "POST" and consultation.state == OPEN:
        try:
            signing.sign(inst().store, consultation_id, who(), request.form.get("on_purpose") == "yes", _key())
            return redirect(url_for("consultations.show", consultation_id=consultation_id))
        except signing.GateHolds:
            held = True
    if consultation.state != OPEN:
        return redirect(url_for("consultations.show", consultation_id=consultation_id))
    context = screen_context(consultation, held=held)
    context["note_text"] = note(consultation, context["screen"].path)
    page = render_template("consultations/sign.html", **context)
    return (page, 409) if held else page


@bp.route("/<consultation_id>/abandon", methods=["GET", "POST"])
def abandon(consultation_id: str) -> Response | str:
    """End without signing, with a reason."""
    consultation = found(consultation_id)
    reason, text = request.form.get("reason", ""), forms.typed("text")
    if request.method == "POST" and reason in ABANDON_REASONS and (reason != "other" or text):
        inst().store.abandon(consultation_id, reason, text, _key(), who())
        return redirect(url_for("home"))
    return render_template(
        "consultations/end.html",
        title="End without signing",
        reasons=ABANDON_REASONS,
        problem=request.method == "POST",
        button="End without signing",
        words="The answers are kept and no case is made; the consultation counts as begun and not finished.",
        **ended_context(consultation),
    )


@bp.route("/<consultation_id>/in-error", methods=["GET", "POST"])
def in_error(consultation_id: str) -> Response | str:
    """Mark as entered in error: kept, shown as such, out of the audit."""
    consultation = found(consultation_id)
    reason, text = request.form.get("reason", ""), forms.typed("text")
    if request.method == "POST" and reason in ERROR_REASONS and (reason != "other" or text):
        signing.enter_in_error(inst().store, consultation_id, reason, text, _key(), who())
        return redirect(url_for("consultations.show", consultation_id=consultation_id))
    return render_template(
        "consultations/end.html",
        title="Mark as entered in error",
        reasons=ERROR_REASONS,
        problem=request.method == "POST",
        button="Mark as entered in error",
        words="Everything is kept and marked; the consultation leaves the audit.",
        **ended_context(consultation),
    )


@bp.route("/<consultation_id>/addendum", methods=["GET", "POST"])
def addendum(consultation_id: str) -> Response | str | tuple[str, int]:
    """Add to a signed consultation; one answer may also be corrected in the audit record."""
    consultation = found(consultation_id)
    context = ended_context(consultation)
    screen: Screen = context["screen"]
    question = screen.proforma.by_id.get(request.values.get("question", ""))
    problem = ""
    if request.method == "POST":
        problem = _add(consultation, screen, question)
        if not problem:
            return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor="addenda"))
    page = render_template("consultations/addendum.html", question=question, problem=problem, **context)
    return (page, 422) if problem else page


def _add(consultation: Consultation, screen: Screen, question: Question | None) -> str:
    text, why = forms.typed("text"), forms.typed("why")
    if not text or not why:
        return "Write the addendum and why it is made."
    corrected: dict[str, Answer] = {}
    if question is not None:
        sent = forms.read(question, screen.proforma, request.form, None)
        if sent.error or sent.answer is None:
            return sent.error or "Give the corrected answer, or leave the question out."
        corrected[question.id] = sent.answer
    try:
        signing.add_addendum(inst().store, consultation.id, text, why, corrected, _key(), who())
    except Refused as refusal:
        return str(refusal)
    return ""


def ended_context(consultation: Consultation) -> dict[str, Any]:
    """What the pages of an ended consultation need."""
    context = screen_context(consultation)
    path = context["screen"].path
    conn = inst().db.read()
    return {
        **context,
        "note_text": note(consultation, path),
        "head": head_at(consultation),
        "describe": describe,
        "step_count": sum(1 for _ in steps(conn, consultation=consultation.id)),
    }


def head_at(consultation: Consultation) -> tuple[int, str]:
    """The number and hash of the step that ended it, printed on the signed note."""
    return (consultation.ended.seq, consultation.ended.hash) if consultation.ended else (0, "")


@bp.get("/<consultation_id>/note", endpoint="note")
def note_page(consultation_id: str) -> Response:
    """The note as plain text."""
    consultation = found(consultation_id)
    text = note(consultation, inst().store.path_of(consultation))
    seq, hash_ = head_at(consultation)
    signed = f"\nStep {seq} of the record, {hash_}\n" if seq else "\nDRAFT: not signed.\n"
    draft = "" if content_is_approved() else "\nDraft content, not approved for clinical use\n"
    return Response(text + signed + draft, mimetype="text/plain")


@bp.post("/<consultation_id>/note-copied")
def note_copied(consultation_id: str) -> tuple[str, int]:
    """Record that the note was copied to the clipboard."""
    consultation = found(consultation_id)
    digest = reports.digest(note(consultation, inst().store.path_of(consultation)))
    inst().store.note_after(consultation_id, "note_copied", {"digest": digest}, _key(), who())
    return "", 204


@bp.route("/<consultation_id>/letter", methods=["GET", "POST"])
def letter(consultation_id: str) -> Response | str:
    """The urgent letter with the telephone numbers, before anything else is finished."""
    consultation = found(consultation_id)
    path = inst().store.path_of(consultation)
    made = letters.letter(consultation, path, site_of(consultation))
    if request.method == "POST":
        content = {"questions": [f.question for f in made.findings], "route": [r for r, _ in made.routes]}
        inst().store.note_after(consultation_id, "letter_printed", content, _key(), who())
        return redirect(url_for("consultations.letter", consultation_id=consultation_id, printing="yes"))
    return render_template("consultations/letter.html", letter=made, **screen_context(consultation))


@bp.route("/<consultation_id>/report", methods=["GET", "POST"])
def report(consultation_id: str) -> Response | str | tuple[str, int]:
    """The report to the manager: preview, and finalise where the employee has consented."""
    consultation = found(consultation_id)
    context = screen_context(consultation)
    screen: Screen = context["screen"]
    employee = context["employee"]
    text = reports.report(consultation, screen.path, employee.name if employee else "(identity removed)")
    consented = signing.case_of(inst().store, consultation)["report_consent"] == "given"
    if request.method == "POST":
        back = url_for("consultations.report", consultation_id=consultation_id)
        if not consented:
            return refused("The report can't be finalised: the employee's consent is not recorded as given.", back)
        stored = reports.report(consultation, screen.path, "(see identity)")
        content = {"digest": reports.digest(stored), "text": stored, "adjustments": adjustments_now(screen.path)}
        inst().store.note(consultation_id, "report_made", content, _key(), who())
        if request.form.get("from") == "screen":
            return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor="finish"))
        return redirect(back)
    return render_template("consultations/report.html", text=text, consented=consented, **context)


@bp.post("/<consultation_id>/leaflets/<leaflet_id>/<done>")
def leaflet_done(consultation_id: str, leaflet_id: str, done: str) -> Response | str:
    """Record that a leaflet was printed, given or discussed: three facts, each on its own."""
    found(consultation_id)
    leaflet = inst().leaflets.get((leaflet_id, request.form.get("language", "en")))
    if leaflet is None or done not in ("printed", "given", "discussed"):
        abort(404)
    today = inst().store.clock().astimezone().date()
    form = request.form.get("form", "printed")
    if done == "printed" and (why_not := leaflet.may_print(today)):
        back = url_for("consultations.show", consultation_id=consultation_id, _anchor="finish")
        return refused(why_not, back, "This leaflet is not printed")
    content = {
        "leaflet": leaflet.id,
        "version": leaflet.version,
        "language": leaflet.language,
        "format": request.form.get("format", "a4"),
        "digest": leaflet.digest,
    }
    if done == "given":
        content["form"] = "link" if form == "link" else "printed"
    inst().store.note_after(consultation_id, f"leaflet_{done}", content, _key(), who())
    if done == "printed":
        target = url_for("leaflets.show", leaflet_id=leaflet_id, format=content["format"], printing="yes")
        return redirect(target)
    return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor="finish"))


@bp.get("/<consultation_id>/steps", endpoint="steps")
def history(consultation_id: str) -> str:
    """Everything that happened in a consultation, in order."""
    consultation = found(consultation_id)
    found_steps = list(steps(inst().db.read(), consultation=consultation_id))
    return render_template("consultations/steps.html", steps=found_steps, **ended_context(consultation))
