"""The consultation: starting it, the screen, one address for every answer, signing, and what comes after."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import people
from consult.audit.case import age_band
from consult.audit.measures import outcomes
from consult.documents import letter as letters
from consult.documents import report as reports
from consult.documents import signing
from consult.documents.note import after_signing, note
from consult.documents.words import ROLES, describe, when
from consult.proforma.answer import Answer
from consult.proforma.model import Block, Question
from consult.record import identity
from consult.record.consultation import (
    OPEN,
    Consultation,
    fold,
    report_allowed,
    report_answers,
    report_stands,
)
from consult.record.ledger import steps
from consult.record.settings import Site, provider, sites
from consult.record.store import Conflict, NotOpen, Refused, Start
from consult.web import forms
from consult.web.context import content_is_approved, inst, person, who
from consult.web.screen import Screen

SHORTEST_KEY, LONGEST_KEY = 16, 100
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
    """The consultation, for the clinician who holds it; 404 for anyone else's. A look is recorded once a visit."""
    consultation = inst().store.consultation(consultation_id)
    if consultation is None or consultation.owner != person().id:
        abort(404)
    if request.method == "GET":
        viewed(consultation)
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
        "decision_problem": "",
        "blank_reasons": BLANK_REASONS,
        "leaflets": inst().leaflets,
        "report_stands": report_stands(consultation, screen.path),
        "report_allowed": report_allowed(screen.path),
        "note_text": None,
        **more,
    }


def headings(consultation: Consultation) -> list[tuple[str, str, str]]:
    """Each national heading with what the audit would see now: recorded, still open, or does not apply."""
    measures = inst().measures
    found_now = outcomes(measures, inst().store.library.current.dataset, signing.case_of(inst().store, consultation))
    words = {"met": "recorded", "not_applicable": "does not apply so far"}
    return [(m, measures.by_id[m].title, words.get(found_now[m], "still open")) for m in measures.national]


@bp.post("/<consultation_id>/answers")
def answers(consultation_id: str) -> Response | str | tuple[str, int]:
    """The one address of every answer: any number of questions, with htmx one, without JavaScript all of the page.

    Without JavaScript "No to the rest" comes here too, after the answers sent with it have been saved.
    """
    before = found(consultation_id)
    screen = Screen.of(inst().store, before)
    key = _key()
    conflicts, errors = _save_all(screen, key)
    if request.form.get("rest") and not conflicts and not errors:
        _fill_rest(consultation_id, request.form["rest"], key)
    return _answered(before, screen, key, conflicts, errors)


Conflicts = dict[str, tuple[Answer | None, Conflict]]


def _save_all(screen: Screen, key: str) -> tuple[Conflicts, dict[str, str]]:
    """Save every answer that was sent; what could not be saved comes back by question, and the others are saved."""
    conflicts: Conflicts = {}
    errors: dict[str, str] = {}
    for question in forms.questions_sent(screen.proforma, request.form):
        sent = _sent(question, screen)
        if sent.error:
            errors[question.id] = sent.error
            continue
        try:
            _save(screen.consultation.id, sent, screen, key)
        except Conflict as conflict:
            conflicts[question.id] = (sent.answer, conflict)
        except NotOpen:
            raise
        except Refused as refusal:
            errors[question.id] = str(refusal)
    return conflicts, errors


def _sent(question: Question, screen: Screen) -> forms.Sent:
    seen = forms.number(request.form.get(f"seen.{question.id}", "0"))
    if request.form.get("remove") == question.id:
        return forms.Sent(question, None, seen)
    return forms.read(question, screen.path, request.form, _shown(screen, question, seen))


def _shown(screen: Screen, question: Question, seen: int) -> Answer | None:
    """The answer a page showed that knew this step: nothing where it counts as blank, and only options that apply."""
    consultation = screen.consultation
    if seen == consultation.seen(question.id):
        counts = question.id in screen.path.answers
        return screen.path.visible(question, consultation.answers.get(question.id)) if counts else None
    records = consultation.history.get(question.id, [])
    return next((r.answer for r in records if r.seq == seen), None)


def _save(consultation_id: str, sent: forms.Sent, screen: Screen, key: str) -> None:
    """Save what differs from what the page showed; an untouched question is never a step."""
    question = sent.question
    removed = request.form.get("remove") == question.id
    if sent.answer == _shown(screen, question, sent.seen) and not removed:
        return
    answer = sent.answer if removed else forms.with_options_kept(question, sent.answer, screen)
    inst().store.save(consultation_id, question, answer, sent.seen, f"{key}:{question.id}", "single", who())


def _fill_rest(consultation_id: str, block_id: str, key: str) -> list[str]:
    """Fill what the page showed blank in a block: an item that was changed meanwhile is left alone."""
    screen = Screen.of(inst().store, found(consultation_id))
    if block_id not in {b.id for b in screen.proforma.blocks}:
        abort(404)
    sent = {f"{key}:{q.id}": q for q in screen.proforma.in_block(block_id)}
    seen = {q.id: forms.number(request.form.get(f"seen.{q.id}", "-1")) for q in sent.values()}
    return inst().store.rest(consultation_id, block_id, f"{key}:rest", who(), seen)


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
    screen = Screen.of(inst().store, found(consultation_id))
    if block_id not in {b.id for b in screen.proforma.blocks}:
        abort(404)
    key = _key()
    if undo:
        inst().store.undo_rest(consultation_id, block_id, key, who())
    else:
        _fill_rest(consultation_id, block_id, key)
    if request.headers.get("HX-Request"):
        return fragments(consultation_id, key, [])
    return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor=f"block-{block_id}"))


@bp.post("/<consultation_id>/decisions")
def decide(consultation_id: str) -> Response | str | tuple[str, int]:
    """Record what the clinician decided about urgent answers, with the reason; the page shown must still be true."""
    consultation = found(consultation_id)
    screen = Screen.of(inst().store, consultation)
    on_sign_page = request.form.get("from") == "sign"
    named = [q for q in screen.proforma.questions if q.id in request.form.getlist("question") and screen.holds(q)]
    problem = _why_not_decided(screen, named)
    if problem:
        template = "consultations/sign.html" if on_sign_page else "consultations/show.html"
        context = screen_context(consultation, decision_problem=problem, held=False)
        context["note_text"] = note(consultation, screen.path)
        return render_template(template, **context), 422
    content = {
        "questions": [q.id for q in named],
        "states": [(screen.answer(q) or Answer("")).state for q in named],
        "levels": [screen.path.level(q.id) for q in named],
        "decision": request.form["decision"],
        "reason": forms.typed("reason"),
        "told": forms.typed("told"),
    }
    inst().store.note(consultation_id, "decision_recorded", content, _key(), who())
    if on_sign_page:
        return redirect(url_for("consultations.sign", consultation_id=consultation_id))
    return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor=f"q-{named[0].id}"))


def _why_not_decided(screen: Screen, named: list[Question]) -> str:
    """Why the decision sent is not recorded, in a sentence that says what to do; "" if it is."""
    if not named:
        return "Tick at least one answer that this decision is for."
    if any(request.form.get(f"shown.{q.id}") != screen.as_shown(q) for q in named):
        return "The answers changed since this page was made; read them again, then record your decision."
    if request.form.get("decision", "") not in screen.proforma.decisions:
        return "Choose your decision from the list."
    return "" if forms.typed("reason") else "Give the reason for your decision in a few words."


def _key() -> str:
    """The key the page made for this request, or a new one where it has none that could be its own."""
    key = request.form.get("key", "")
    return key if SHORTEST_KEY <= len(key) <= LONGEST_KEY else str(uuid.uuid4())


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
        screen = Screen.of(inst().store, consultation)
        conflicts, errors = _save_all(screen, key := _key())
        if conflicts or errors:
            return _answered(consultation, screen, key, conflicts, errors)
        try:
            signing.sign(inst().store, consultation_id, who(), request.form.getlist("on_purpose"), f"{key}:sign")
            return redirect(url_for("consultations.show", consultation_id=consultation_id))
        except signing.GateHolds:
            consultation, held = found(consultation_id), True
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
    choosing = request.form.get("act") == "question"
    question = screen.proforma.by_id.get(request.form.get("chosen" if choosing else "question", ""))
    problem = "" if choosing or request.method == "GET" else _add(consultation, screen, question)
    if request.method == "POST" and not choosing and not problem:
        return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor="addenda"))
    given = forms.as_sent(question, request.form) if problem and question else None
    page = render_template("consultations/addendum.html", question=question, problem=problem, given=given, **context)
    return (page, 422) if problem else page


def _add(consultation: Consultation, screen: Screen, question: Question | None) -> str:
    text, why = forms.typed("text"), forms.typed("why")
    chosen = request.form.get("chosen", "")
    if chosen != (question.id if question else ""):
        return 'Press "Show this question" and give the corrected answer, or choose "No answer is corrected".'
    if not text or not why:
        return "Write the addendum and why it is made."
    corrected: dict[str, Answer | None] = {}
    if question is not None:
        sent = forms.read(question, screen.path, request.form, None)
        if sent.error:
            return sent.error
        if sent.answer is None and request.form.get("blank") != "yes":
            return 'Give the corrected answer, or tick "It was not recorded".'
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
        "after": after_signing(consultation, path),
        "head": head_at(consultation),
        "describe": describe,
        "signer": signer(consultation),
        "step_count": sum(1 for _ in steps(conn, consultation=consultation.id)),
    }


def signer(consultation: Consultation) -> str:
    """Who signed, in which role, and when, as it stands under the note."""
    step = consultation.signed
    name = people.names(inst().db.read()).get(step.actor, step.actor) if step else ""
    return f"{name}, {ROLES.get(step.role, step.role)}, {when(step.at)}" if step else ""


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
    later = after_signing(consultation, inst().store.path_of(consultation))
    by = f"Signed by {signer(consultation)}\n" if consultation.signed else ""
    return Response("\n".join(p for p in (text, by + signed.strip(), draft, later) if p), mimetype="text/plain")


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
    consented = report_allowed(screen.path)
    if request.method == "POST":
        back = url_for("consultations.report", consultation_id=consultation_id)
        if not consented:
            return refused("The report can't be finalised: the employee's consent is not recorded as given.", back)
        stored = reports.report(consultation, screen.path, "(see identity)")
        content = {"digest": reports.digest(stored), "text": stored, "adjustments": report_answers(screen.path)}
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
    format_ = request.form.get("format", "a4" if done == "printed" else "")
    if leaflet is None or done not in ("printed", "given", "discussed"):
        abort(404)
    if format_ not in leaflet.formats and (format_ or done == "printed"):
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
        "format": format_,
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
