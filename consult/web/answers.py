"""One address for every answer, and "No to the rest": what is saved, and what of the screen the reply holds."""

from __future__ import annotations

from flask import abort, g, redirect, render_template, request
from msgspec import Struct, field
from msgspec.structs import replace
from werkzeug.wrappers import Response

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.model import Proforma, Question
from consult.record.consultation import Consultation, fold
from consult.record.ledger import steps
from consult.record.store import Conflict, NotOpen, NotYours, Refused, Saved
from consult.web import begun, forms
from consult.web.context import inst, this_request, who
from consult.web.desk import bp, found, own_key, place, screen_context
from consult.web.pieces import pieces
from consult.web.screen import Screen

NOT_DONE = "An answer was not saved, so what you pressed was not done. Correct the answer, then press it again."
NOT_SIGNED = "The consultation is not signed: it is once you press Sign and lock again."


@bp.post("/<consultation_id>/answers")
def answers(consultation_id: str) -> Response | str | tuple[str, int]:
    """The one address of every answer: any number of questions, with htmx one, without JavaScript all of the page.

    Without JavaScript "No to the rest" comes here too, after the answers sent with it have been saved.
    """
    before = known_to_the_page(consultation_id)
    screen = Screen.of(inst().store, before)
    if not asked_now(screen.proforma):
        abort(400)  # a page that is no longer whole: never let it say that something was saved
    key = own_key()
    done = save_all(screen, key)
    if not any(saved.after for saved in done.saved):
        found(consultation_id)  # nothing looked at the log yet: whose it is by now, before anything of it is shown
    if request.form.get("rest") and done.whole:
        _fill_rest(consultation_id, request.form["rest"], key)
    return answered(before, screen, key, done)


def known_to_the_page(consultation_id: str) -> Consultation:
    """The consultation at least as far as the page that was sent knew it: saving looks by itself what came since."""
    recalled, sent = found(consultation_id, sure=False), this_request().form
    seen = [(q.id, forms.known(q, sent).seq) for q in asked_now(inst().store.definition_of(recalled).proforma)]
    known = all(not seq or any(r.seq == seq for r in recalled.history.get(question, ())) for question, seq in seen)
    return recalled if known else found(consultation_id)


def asked_now(proforma: Proforma) -> list[Question]:
    """The questions that the page sent, looked up once in a request."""
    known: list[Question] | None = g.get("questions_asked")
    if known is None:
        g.questions_asked = known = forms.questions_sent(proforma, this_request().form)
    return known


Conflicts = dict[str, tuple[Answer | None, Conflict]]


class Done(Struct):
    """What came of the answers that were sent: those that were saved, and by question those that were not."""

    saved: list[Saved] = field(default_factory=list)
    conflicts: Conflicts = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether nothing was left unsaved."""
        return not self.conflicts and not self.errors


def save_all(screen: Screen, key: str) -> Done:
    """Save every answer that was sent; what could not be saved comes back by question, and the others are saved."""
    done = Done()
    for question in asked_now(screen.proforma):
        sent = _sent(question, screen)
        if sent.error:
            done.errors[question.id] = sent.error
            continue
        try:
            done.saved += _save(screen.consultation.id, sent, screen, key)
        except Conflict as conflict:
            done.conflicts[question.id] = (sent.answer, conflict)
        except (NotOpen, NotYours):
            raise
        except Refused as refusal:
            done.errors[question.id] = str(refusal)
    return done


def entered(screen: Screen, everything: bool = False) -> list[tuple[Question, Answer | None]]:
    """What was entered on the page that was sent: the answers that differ from those it showed, or all of them."""
    found = []
    for question in asked_now(screen.proforma):
        sent = _sent(question, screen)
        answer = forms.as_sent(question, request.form) if sent.error else sent.answer
        if everything or answer != _shown(screen, question):
            found.append((question, answer))
    return found


def _sent(question: Question, screen: Screen) -> forms.Sent:
    sent = this_request().form
    if sent.get("remove") == question.id:
        return forms.Sent(question, None, forms.known(question, sent).seq)
    return forms.read(question, screen.path, sent, _shown(screen, question))


def _shown(screen: Screen, question: Question) -> Answer | None:
    """The answer the page showed: what it says it did, else that of the step it knew.

    How that answer counts by now is another thing: what nobody touched on the page is not given anew.
    """
    known = forms.known(question, this_request().form)
    if known.shown is not None:
        return Answer(ANSWERED, known.shown) if known.shown else None
    return _recorded(screen, question, known.seq)


def _recorded(screen: Screen, question: Question, seq: int) -> Answer | None:
    records = screen.consultation.history.get(question.id, [])
    return next((r.answer for r in records if r.seq == seq), None)


def answered_elsewhere(now: Consultation, screen: Screen, key: str) -> bool:
    """Whether an answer of the page that was sent reads otherwise by now, though this request did not give it."""
    for question in asked_now(screen.proforma):
        last = now.last(question.id)
        if last is None or last.seq == forms.known(question, request.form).seq:
            continue
        if last.answer != _shown(screen, question) and not inst().store.wrote(f"{key}:{question.id}", now.id):
            return True
    return False


def _save(consultation_id: str, sent: forms.Sent, screen: Screen, key: str) -> list[Saved]:
    """Save what differs from what the page showed; an untouched question is never a step."""
    question = sent.question
    removed = this_request().form.get("remove") == question.id
    shown = _shown(screen, question)
    if sent.answer == shown and not removed:
        _check_it_stands(consultation_id, sent)
        return []
    before = _recorded(screen, question, sent.seen)
    answer = sent.answer if removed else forms.with_options_kept(question, sent.answer, before, shown)
    own = f"{key}:{question.id}"
    return [inst().store.saved(consultation_id, question, answer, sent.seen, own, "single", who())]


def _check_it_stands(consultation_id: str, sent: forms.Sent) -> None:
    """Conflict if the control in use is back at what the page showed, and another window has answered since.

    The reply would call it saved, and let the next answer pass for one that knew the other. Of a page that is sent
    whole nobody touched it, and the new page shows what stands.
    """
    if request.headers.get("HX-Request"):
        now = found(consultation_id).last(sent.question.id)
        if now is not None and now.seq != sent.seen and now.answer != sent.answer:
            raise Conflict(sent.question.id, now)


def _fill_rest(consultation_id: str, block_id: str, key: str) -> list[str]:
    """Fill what the page showed blank in a block: an item that was changed meanwhile is left alone."""
    screen = Screen.of(inst().store, found(consultation_id))
    if block_id not in {b.id for b in screen.proforma.blocks}:
        abort(404)
    items = screen.proforma.in_block(block_id)
    seen = {q.id: forms.known(q, request.form).seq if f"seen.{q.id}" in request.form else -1 for q in items}
    return inst().store.rest(consultation_id, block_id, f"{key}:rest", who(), seen)


def answered(before: Consultation, screen: Screen, key: str, done: Done) -> Response | str | tuple[str, int]:
    """The reply to answers: with htmx the pieces that changed, without it the page anew."""
    if request.headers.get("HX-Request"):
        asked = asked_now(screen.proforma)
        status = 409 if done.conflicts else 422 if done.errors else 200
        return _pieces(before.id, key, asked, done), status
    after, half = found(before.id), begun.decisions()
    if done.whole and begun.anything(after):
        return with_what_was_begun(after)
    if not done.whole:
        not_done = NOT_DONE if "doing" in request.form else ""
        told = {"not_done": not_done, "decision_problem": (not_done or begun.NOT_DECIDED) if half else ""}
        context = screen_context(after, conflicts=done.conflicts, errors=done.errors, **told)
        sent = {q: forms.as_sent(screen.proforma.by_id[q], request.form) for q in done.errors}
        context["screen"] = replace(context["screen"], unsaved={q: a for q, a in sent.items() if a})
        return render_template("consultations/show.html", **context), 409 if done.conflicts else 422
    anchor = request.form.get("section", "")
    return redirect(place(before.id, f"section-{anchor}"))


def with_what_was_begun(consultation: Consultation) -> tuple[str, int]:
    """The page anew, with what was typed for buttons of it and is not recorded."""
    told = {"decision_problem": begun.NOT_DECIDED if begun.decisions() else ""}
    told["not_done"] = NOT_SIGNED if request.endpoint == "consultations.sign" else ""
    return render_template("consultations/show.html", **screen_context(consultation, **told)), 422


def _pieces(consultation_id: str, key: str, asked: list[Question], done: Done) -> str:
    before, now, own = _around(consultation_id, key, asked, done)
    return pieces(before, now, asked, own, done.conflicts, done.errors)


def _around(consultation_id: str, key: str, asked: list[Question], done: Done) -> tuple[Screen, Screen, set[str]]:
    """The screen without the steps of this request and with them, and the questions they are about.

    What another request changed meanwhile is that one's to show.
    """
    store, one = inst().store, done.saved[0] if len(done.saved) == 1 else None
    latest = store.remembered(consultation_id, sure=False)
    if latest and _nothing_written(latest, key, asked, done):
        return Screen.of(store, latest), Screen.of(store, latest), set()
    if one and one.before and one.after and latest and latest.last_seq == one.after.last_seq:
        return Screen.of(store, one.before), Screen.of(store, one.after), set()
    found_steps = list(steps(inst().db.read(), consultation=consultation_id))
    before = fold(consultation_id, [s for s in found_steps if not s.key.startswith(key)])
    own = {s.question for s in found_steps if s.key.startswith(key)}
    return Screen.of(store, before), Screen.of(store, fold(consultation_id, found_steps)), own


def _nothing_written(consultation: Consultation, key: str, asked: list[Question], done: Done) -> bool:
    """Whether this request wrote no step, now or when it was sent before: what it holds was untouched."""
    if not asked or request.form.get("rest") or any(saved.after for saved in done.saved):
        return False
    return not any(inst().store.wrote(f"{key}:{question.id}", consultation.id) for question in asked)


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
        return _pieces(consultation_id, key, [], Done())
    return redirect(place(consultation_id, f"block-{block_id}"))
