"""One address for every answer, "No to the rest", and the pieces of the screen that a change moves."""

from __future__ import annotations

from dataclasses import replace

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.proforma.answer import Answer
from consult.proforma.model import Block, Question
from consult.record.consultation import Consultation, fold
from consult.record.ledger import steps
from consult.record.store import Conflict, NotOpen, NotYours, Refused
from consult.web import forms
from consult.web.context import inst, who
from consult.web.desk import bp, found, headings, own_key, screen_context
from consult.web.screen import Screen


@bp.post("/<consultation_id>/answers")
def answers(consultation_id: str) -> Response | str | tuple[str, int]:
    """The one address of every answer: any number of questions, with htmx one, without JavaScript all of the page.

    Without JavaScript "No to the rest" comes here too, after the answers sent with it have been saved.
    """
    before = found(consultation_id)
    screen = Screen.of(inst().store, before)
    if not forms.questions_sent(screen.proforma, request.form):
        abort(400)  # a page that is no longer whole: never let it say that something was saved
    key = own_key()
    conflicts, errors = save_all(screen, key)
    if request.form.get("rest") and not conflicts and not errors:
        _fill_rest(consultation_id, request.form["rest"], key)
    return answered(before, screen, key, conflicts, errors)


Conflicts = dict[str, tuple[Answer | None, Conflict]]


def save_all(screen: Screen, key: str) -> tuple[Conflicts, dict[str, str]]:
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
        except (NotOpen, NotYours):
            raise
        except Refused as refusal:
            errors[question.id] = str(refusal)
    return conflicts, errors


def entered(screen: Screen, everything: bool = False) -> list[tuple[Question, Answer | None]]:
    """What was entered on the page that was sent: the answers that differ from those it showed, or all of them."""
    found = []
    for question in forms.questions_sent(screen.proforma, request.form):
        sent = _sent(question, screen)
        answer = forms.as_sent(question, request.form) if sent.error else sent.answer
        if everything or answer != _shown(screen, question, sent.seen):
            found.append((question, answer))
    return found


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
    items = screen.proforma.in_block(block_id)
    seen = {q.id: forms.number(request.form.get(f"seen.{q.id}", "-1")) for q in items}
    return inst().store.rest(consultation_id, block_id, f"{key}:rest", who(), seen)


def answered(
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
    still_open = [q.id for q in screen.path.still_open(question.id)]
    return (screen.panel(question), screen.decision(question), screen.holds(question), still_open)


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
    key = own_key()
    if undo:
        inst().store.undo_rest(consultation_id, block_id, key, who())
    else:
        _fill_rest(consultation_id, block_id, key)
    if request.headers.get("HX-Request"):
        return fragments(consultation_id, key, [])
    return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor=f"block-{block_id}"))
